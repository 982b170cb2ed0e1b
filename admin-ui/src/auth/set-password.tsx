/* Where the links of invites and of forgotten passwords lead: one chooses a password and may sign in. The token is behind the "#" of the
 * address, so that no server and no log sees it. */
import { useMutation } from '@tanstack/react-query';
import { useRouterState } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { ApiError, messageOf } from '~/api/errors';
import { Wordmark } from '~/app/wordmark';
import { useTitle } from '~/lib/use-title';
import { Button, ButtonLink } from '~/ui/button';
import { Row, TextField } from '~/ui/field';
import { Notice } from '~/ui/states';
import { acceptInvite, resetPassword } from './person';
import css from './sign-in.module.css';

function SetPassword({ invited }: { invited: boolean }) {
  const token = useRouterState({ select: (state) => state.location.hash });
  const [password, setPassword] = useState('');
  const [first, setFirst] = useState('');
  const [last, setLast] = useState('');
  const title = invited ? 'Welcome' : 'New password';
  useTitle(title);
  const send = useMutation({
    mutationFn: () =>
      invited
        ? acceptInvite({ token, password, first_name: first.trim(), last_name: last.trim() })
        : resetPassword({ token, password }),
  });
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (password !== '') send.mutate();
  };
  const ofPassword = send.error instanceof ApiError && send.error.field === 'password' ? send.error.rule : undefined;
  return (
    <main className={css.page}>
      <form className={css.form} onSubmit={submit} noValidate>
        <Wordmark />
        <h1 className={css.title}>{title}</h1>
        {send.isSuccess ? (
          <>
            <Notice tone="good">Your password is set.</Notice>
            <ButtonLink to="/sign-in" look="primary">
              Sign in
            </ButtonLink>
          </>
        ) : (
          <>
            {invited && (
              <Row>
                <TextField label="First name" value={first} onChange={setFirst} autoComplete="given-name" autoFocus />
                <TextField label="Last name" value={last} onChange={setLast} autoComplete="family-name" />
              </Row>
            )}
            <TextField
              label="Password"
              value={password}
              onChange={setPassword}
              type="password"
              autoComplete="new-password"
              error={ofPassword}
              help="At least 12 characters."
            />
            {send.isError && ofPassword === undefined && <Notice tone="bad">{messageOf(send.error)}</Notice>}
            <Button type="submit" look="primary" pending={send.isPending}>
              Set password
            </Button>
          </>
        )}
      </form>
    </main>
  );
}

export const InvitePage = () => <SetPassword invited />;
export const ResetPage = () => <SetPassword invited={false} />;
