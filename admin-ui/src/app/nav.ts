/* What the navigation offers, to whom. The sidebar and the palette both read this. */
import {
  BookOpen,
  Boxes,
  Building,
  Cable,
  ChartColumn,
  FlaskConical,
  KeyRound,
  Plug,
  ScrollText,
  Server,
  Settings,
  Split,
  Users,
  type LucideIcon,
} from 'lucide-react';
import type { Area, Session } from '~/auth/session';

export interface Destination {
  label: string;
  icon: LucideIcon;
  to:
    | '/docs'
    | '/integrations'
    | '/keys'
    | '/workspaces'
    | '/usage'
    | '/data-planes'
    | '/audit-log'
    | '/w/$workspace/models'
    | '/w/$workspace/providers'
    | '/w/$workspace/playground'
    | '/w/$workspace/configs'
    | '/w/$workspace/keys'
    | '/w/$workspace/usage'
    | '/w/$workspace/members'
    | '/w/$workspace/settings';
  /** Offered to those who may list it; undefined: to everybody. */
  area?: Area;
  /** Other words people look for. */
  words: string;
}

export const WORKSPACE: readonly Destination[] = [
  { label: 'Models', icon: Boxes, to: '/w/$workspace/models', words: 'catalog gallery snippets price' },
  { label: 'AI providers', icon: Plug, to: '/w/$workspace/providers', words: 'virtual keys budgets limits' },
  { label: 'Playground', icon: FlaskConical, to: '/w/$workspace/playground', words: 'try compare chat' },
  { label: 'Configs', icon: Split, to: '/w/$workspace/configs', area: 'configs', words: 'routing fallback load balancing retry' },
  { label: 'API keys', icon: KeyRound, to: '/w/$workspace/keys', area: 'keys', words: 'tokens secrets scopes' },
  { label: 'Usage', icon: ChartColumn, to: '/w/$workspace/usage', area: 'usage', words: 'cost tokens requests errors spend' },
  { label: 'Members', icon: Users, to: '/w/$workspace/members', area: 'members', words: 'people users roles team' },
  { label: 'Settings', icon: Settings, to: '/w/$workspace/settings', area: 'settings', words: 'workspace name budget limits' },
];

/** For those who govern the organisation. */
export const ORGANISATION: readonly Destination[] = [
  { label: 'Integrations', icon: Cable, to: '/integrations', words: 'credentials connect provider secrets' },
  { label: 'Workspaces', icon: Building, to: '/workspaces', words: 'teams budgets' },
  { label: 'Organisation keys', icon: KeyRound, to: '/keys', area: 'keys', words: 'admin tokens secrets scopes' },
  { label: 'Usage', icon: ChartColumn, to: '/usage', area: 'usage', words: 'cost tokens requests errors spend organisation' },
  { label: 'Data planes', icon: Server, to: '/data-planes', area: 'planes', words: 'gateways nodes regions health lag' },
  { label: 'Audit log', icon: ScrollText, to: '/audit-log', area: 'audit', words: 'who changed what history' },
];

export const HELP: readonly Destination[] = [
  { label: 'Guide', icon: BookOpen, to: '/docs', words: 'help documentation sdk errors manual' },
];

/** What of it a session is offered. */
export const offered = (all: readonly Destination[], session: Session): Destination[] =>
  all.filter((one) => one.area === undefined || session.areas.includes(one.area));
