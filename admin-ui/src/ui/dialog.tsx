/* Dialogs. They hold what interrupts: a form of a few fields, or a question before something that cannot be taken back. */
import { X } from 'lucide-react';
import { useState, type ReactNode, type SyntheticEvent } from 'react';
import { Dialog as AriaDialog } from 'react-aria-components/Dialog';
import { Heading } from 'react-aria-components/Heading';
import { Modal, ModalOverlay } from 'react-aria-components/Modal';
import { messageOf } from '~/api/errors';
import { cx } from '~/lib/cx';
import { Button, IconButton } from './button';
import css from './dialog.module.css';
import { TextField } from './field';
import { Notice } from './states';

interface DialogProps {
  title: string;
  open: boolean;
  onClose: () => void;
  children: ReactNode;
  wide?: boolean;
  /** Slides in from the side: for forms that keep the page beside them in view. */
  drawer?: boolean;
}

export function Dialog({ title, open, onClose, children, wide = false, drawer = false }: DialogProps) {
  return (
    <ModalOverlay
      className={cx(css.scrim, drawer && css.scrimSide)}
      isOpen={open}
      onOpenChange={(next) => !next && onClose()}
      isDismissable
    >
      <Modal className={cx(drawer ? css.drawer : css.modal, wide && css.wide)}>
        <AriaDialog className={css.dialog ?? ''}>
          <header className={css.head}>
            <Heading slot="title" className={css.title ?? ''}>
              {title}
            </Heading>
            <IconButton label="Close" icon={X} small onPress={onClose} />
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

interface FormProps {
  children: ReactNode;
  onSubmit: () => void;
  onCancel: () => void;
  submit: string;
  pending: boolean;
  error?: string | undefined;
  look?: 'primary' | 'danger';
  disabled?: boolean;
}

/** Body and foot of a dialog that sends something. */
export function DialogForm({
  children,
  onSubmit,
  onCancel,
  submit,
  pending,
  error,
  look = 'primary',
  disabled = false,
}: FormProps) {
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    if (!disabled && !pending) onSubmit();
  };
  return (
    <form onSubmit={send} className={css.form} noValidate>
      <div className={css.body}>
        {children}
        {error !== undefined && <Notice tone="bad">{error}</Notice>}
      </div>
      <footer className={css.foot}>
        <Button onPress={onCancel}>Cancel</Button>
        <Button type="submit" look={look} pending={pending} isDisabled={disabled}>
          {submit}
        </Button>
      </footer>
    </form>
  );
}

interface ConfirmProps {
  title: string;
  open: boolean;
  onClose: () => void;
  onConfirm: () => void;
  action: string;
  /** What onConfirm starts: its state, and why it failed. */
  change: { isPending: boolean; error: unknown };
  children: ReactNode;
  /** What has to be typed first. */
  word?: string | undefined;
}

export function Confirm({ title, open, onClose, onConfirm, action, change, children, word }: ConfirmProps) {
  const [typed, setTyped] = useState('');
  return (
    <Dialog title={title} open={open} onClose={onClose}>
      <DialogForm
        onSubmit={onConfirm}
        onCancel={onClose}
        submit={action}
        pending={change.isPending}
        error={change.error === null ? undefined : messageOf(change.error)}
        look="danger"
        disabled={word !== undefined && typed !== word}
      >
        <div className={css.question}>{children}</div>
        {word !== undefined && <TextField label={`Type ${word} to confirm`} value={typed} onChange={setTyped} mono autoFocus />}
      </DialogForm>
    </Dialog>
  );
}
