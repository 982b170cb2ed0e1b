/* What the navigation offers, to whom. The sidebar and the palette both read this. */
import { Boxes, Cable, FlaskConical, Plug, type LucideIcon } from 'lucide-react';

export interface Destination {
  label: string;
  icon: LucideIcon;
  to: '/integrations' | '/w/$workspace/models' | '/w/$workspace/providers' | '/w/$workspace/playground';
  /** Other words people look for. */
  words: string;
}

export const WORKSPACE: readonly Destination[] = [
  { label: 'Models', icon: Boxes, to: '/w/$workspace/models', words: 'catalog gallery snippets price' },
  { label: 'AI providers', icon: Plug, to: '/w/$workspace/providers', words: 'virtual keys budgets limits' },
  { label: 'Playground', icon: FlaskConical, to: '/w/$workspace/playground', words: 'try compare chat' },
];

/** For those who govern the organisation. */
export const ORGANISATION: readonly Destination[] = [
  { label: 'Integrations', icon: Cable, to: '/integrations', words: 'credentials connect provider secrets' },
];
