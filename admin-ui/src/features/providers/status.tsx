import type { Provider } from '~/api/types';
import { Status, type BadgeTone } from '~/ui/badge';

const TONES: Record<Provider['status'], BadgeTone> = { active: 'good', exhausted: 'bad', expired: 'warn' };

export const ProviderStatus = ({ status }: { status: Provider['status'] }) => <Status tone={TONES[status]}>{status}</Status>;
