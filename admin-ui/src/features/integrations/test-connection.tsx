/* Asks a data plane to call the provider once with the stored credential. The control plane itself never opens one. */
import { PlugZap } from 'lucide-react';
import { useMutation } from '@tanstack/react-query';
import { messageOf } from '~/api/errors';
import { post, segment } from '~/api/http';
import type { Probe } from '~/api/types';
import { ms } from '~/lib/format';
import { Button } from '~/ui/button';
import { Dialog } from '~/ui/dialog';
import dialog from '~/ui/dialog.module.css';
import { Notice } from '~/ui/states';
import css from './integrations.module.css';

function Result({ probe }: { probe: Probe }) {
  return (
    <div className={css.probe}>
      <Notice
        tone={probe.success ? 'good' : 'bad'}
        title={probe.success ? 'The provider took the credential' : 'The provider refused'}
      >
        {probe.message !== '' && <span>{probe.message}</span>}
      </Notice>
      <div className={css.probeFacts}>
        {probe.http_status > 0 && <span>HTTP status {probe.http_status}</span>}
        <span>{ms(probe.latency_ms)}</span>
        <span className={css.quiet}>
          asked by <code>{probe.data_plane_id.slice(0, 8)}</code>
        </span>
      </div>
    </div>
  );
}

export function TestButton({ slug }: { slug: string }) {
  const test = useMutation({ mutationFn: () => post<Probe>(`/integrations/${segment(slug)}/test`, {}) });
  return (
    <>
      <Button icon={PlugZap} pending={test.isPending} onPress={() => test.mutate()}>
        Test connection
      </Button>
      <Dialog title="Test of the connection" open={test.isSuccess || test.isError} onClose={() => test.reset()}>
        <div className={dialog.body}>
          {test.data && <Result probe={test.data} />}
          {test.isError && <Notice tone="bad">{messageOf(test.error)}</Notice>}
        </div>
      </Dialog>
    </>
  );
}
