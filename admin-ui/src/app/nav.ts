/* What the navigation offers, to whom. The sidebar and the palette both read this. */
import { Boxes, Cable, FlaskConical, KeyRound, Plug, type LucideIcon } from 'lucide-react';
import type { Area, Session } from '~/auth/session';

export interface Destination {
  label: string;
  icon: LucideIcon;
  to:
    | '/integrations'
    | '/keys'
    | '/w/$workspace/models'
    | '/w/$workspace/providers'
    | '/w/$workspace/playground'
    | '/w/$workspace/keys';
  /** Offered to those who may list it; undefined: to everybody. */
  area?: Area;
  /** Other words people look for. */
  words: string;
}

export const WORKSPACE: readonly Destination[] = [
  { label: 'Models', icon: Boxes, to: '/w/$workspace/models', words: 'catalog gallery snippets price' },
  { label: 'AI providers', icon: Plug, to: '/w/$workspace/providers', words: 'virtual keys budgets limits' },
  { label: 'Playground', icon: FlaskConical, to: '/w/$workspace/playground', words: 'try compare chat' },
  { label: 'API keys', icon: KeyRound, to: '/w/$workspace/keys', area: 'keys', words: 'tokens secrets scopes' },
];

/** For those who govern the organisation. */
export const ORGANISATION: readonly Destination[] = [
  { label: 'Integrations', icon: Cable, to: '/integrations', words: 'credentials connect provider secrets' },
  { label: 'Organisation keys', icon: KeyRound, to: '/keys', area: 'keys', words: 'admin tokens secrets scopes' },
];

/** What of it a session is offered. */
export const offered = (all: readonly Destination[], session: Session): Destination[] =>
  all.filter((one) => one.area === undefined || session.areas.includes(one.area));
