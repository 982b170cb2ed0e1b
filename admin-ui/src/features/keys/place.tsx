/* Where keys live: in a workspace, or in the organisation (undefined). Their pages differ in addresses only. */
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { SessionWorkspace } from '~/auth/session';
import { ButtonLink, type Look } from '~/ui/button';

export type Place = SessionWorkspace | undefined;

export const KeyLink = ({
  place,
  id,
  className = '',
  children,
}: {
  place: Place;
  id: string;
  className?: string;
  children: ReactNode;
}) =>
  place === undefined ? (
    <Link to="/keys/$key" params={{ key: id }} className={className}>
      {children}
    </Link>
  ) : (
    <Link to="/w/$workspace/keys/$key" params={{ workspace: place.slug, key: id }} className={className}>
      {children}
    </Link>
  );

export const KeysLink = ({ place }: { place: Place }) =>
  place === undefined ? (
    <Link to="/keys">Organisation keys</Link>
  ) : (
    <Link to="/w/$workspace/keys" params={{ workspace: place.slug }}>
      API keys
    </Link>
  );

interface ButtonProps {
  place: Place;
  look?: Look;
  children: ReactNode;
}

export const NewKeyButton = ({ place, look = 'primary', children }: ButtonProps) =>
  place === undefined ? (
    <ButtonLink to="/keys/new" look={look}>
      {children}
    </ButtonLink>
  ) : (
    <ButtonLink to="/w/$workspace/keys/new" params={{ workspace: place.slug }} look={look}>
      {children}
    </ButtonLink>
  );

export const KeysButton = ({ place, children }: ButtonProps) =>
  place === undefined ? (
    <ButtonLink to="/keys">{children}</ButtonLink>
  ) : (
    <ButtonLink to="/w/$workspace/keys" params={{ workspace: place.slug }}>
      {children}
    </ButtonLink>
  );
