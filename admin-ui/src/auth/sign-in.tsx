/* Sign-in. One field: an API key of an organisation or of a workspace. */
import { useMutation } from '@tanstack/react-query';
import { getRouteApi, useRouter } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { ApiError, messageOf } from '~/api/errors';
import { Button } from '~/ui/button';
import { TextField } from '~/ui/field';
import { Notice } from '~/ui/states';
import { useTitle } from '~/lib/use-title';
import { Wordmark } from '~/app/wordmark';
import { probeKey } from './probe';
import { signInWithKey, wasEnded } from './session';
import css from './sign-in.module.css';

const route = getRouteApi('/sign-in');

export function SignIn() {
  const { to } = route.useSearch();
  const router = useRouter();
  const [key, setKey] = useState('');
  useTitle('Sign in');
  const signIn = useMutation({
    mutationFn: () => signInWithKey(key.trim(), probeKey),
    onSuccess: () => router.history.push(to ?? '/'),
  });
  const refused = signIn.error instanceof ApiError && signIn.error.status === 401;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (key.trim() !== '') signIn.mutate();
  };
  return (
    <main className={css.page}>
      <form className={css.form} onSubmit={submit} noValidate>
        <Wordmark />
        <h1 className={css.title}>Sign in</h1>
        {wasEnded() && <Notice tone="warn">Your session has ended. Sign in again to go on.</Notice>}
        <TextField
          label="API key"
          value={key}
          onChange={setKey}
          secret
          autoFocus
          autoComplete="current-password"
          placeholder="slk_…"
          error={refused ? 'This key is not known here, or it has expired.' : undefined}
          help="An organisation key governs everything; a workspace key shows what its workspace may call."
        />
        {signIn.isError && !refused && <Notice tone="bad">{messageOf(signIn.error)}</Notice>}
        <Button type="submit" look="primary" pending={signIn.isPending}>
          Sign in
        </Button>
        <p className={css.foot}>The key stays in this browser tab and ends with it.</p>
      </form>
    </main>
  );
}
