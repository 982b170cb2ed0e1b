/* Sign-in: as a person by e-mail and password, or with an API key of an organisation or a workspace. */
import { useMutation } from '@tanstack/react-query';
import { getRouteApi, Link, useRouter } from '@tanstack/react-router';
import { useState, type SyntheticEvent } from 'react';
import { ApiError, messageOf } from '~/api/errors';
import { Button } from '~/ui/button';
import { Segments } from '~/ui/choice';
import { TextField } from '~/ui/field';
import { Notice } from '~/ui/states';
import { useTitle } from '~/lib/use-title';
import { Wordmark } from '~/app/wordmark';
import { enter } from './person';
import { probeKey } from './probe';
import { signInAsPerson, signInWithKey, wasEnded } from './session';
import css from './sign-in.module.css';

const route = getRouteApi('/sign-in');

type Way = 'person' | 'key';

const WAYS: { id: Way; label: string }[] = [
  { id: 'person', label: 'As a person' },
  { id: 'key', label: 'With a key' },
];

export function SignIn() {
  const { to } = route.useSearch();
  const router = useRouter();
  const [way, setWay] = useState<Way>('person');
  const [email, setEmail] = useState('');
  const [password, setPassword] = useState('');
  const [key, setKey] = useState('');
  useTitle('Sign in');
  const signIn = useMutation({
    mutationFn: () => (way === 'key' ? signInWithKey(key.trim(), probeKey) : signInAsPerson(() => enter(email.trim(), password))),
    onSuccess: () => router.history.push(to ?? '/'),
  });
  const refused = signIn.error instanceof ApiError && signIn.error.status === 401;
  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    if (way === 'key' ? key.trim() !== '' : email.trim() !== '' && password !== '') signIn.mutate();
  };
  const choose = (next: Way) => {
    signIn.reset();
    setWay(next);
  };
  return (
    <main className={css.page}>
      <form className={css.form} onSubmit={submit} noValidate>
        <Wordmark />
        <h1 className={css.title}>Sign in</h1>
        {wasEnded() && <Notice tone="warn">Your session has ended. Sign in again to go on.</Notice>}
        <Segments label="Sign in with" value={way} options={WAYS} onChange={choose} />
        {way === 'person' ? (
          <>
            <TextField label="E-mail" value={email} onChange={setEmail} type="email" autoFocus autoComplete="username" />
            <TextField
              label="Password"
              value={password}
              onChange={setPassword}
              type="password"
              autoComplete="current-password"
              error={refused ? 'E-mail and password do not fit.' : undefined}
            />
          </>
        ) : (
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
        )}
        {signIn.isError && !refused && <Notice tone="bad">{messageOf(signIn.error)}</Notice>}
        <Button type="submit" look="primary" pending={signIn.isPending}>
          Sign in
        </Button>
        <p className={css.foot}>
          {way === 'key'
            ? 'The key stays in this browser tab and ends with it.'
            : 'An administrator can send you a link for a new password.'}{' '}
          <Link to="/docs" className={css.guide ?? ''}>
            Guide
          </Link>
        </p>
      </form>
    </main>
  );
}
