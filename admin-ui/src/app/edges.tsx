/* What is shown when a page is not there, not yet there, or broke. */
import type { ErrorComponentProps } from '@tanstack/react-router';
import { Compass } from 'lucide-react';
import { ButtonLink } from '~/ui/button';
import { Failed, SkeletonRows, State } from '~/ui/states';

export const NotFound = () => (
  <State icon={Compass} title="There is no such page" actions={<ButtonLink to="/">Go to the start</ButtonLink>}>
    The address may be old, or it may have been mistyped.
  </State>
);

export const PageFailed = ({ error, reset }: ErrorComponentProps) => <Failed error={error} onRetry={reset} />;

export const PageLoading = () => <SkeletonRows rows={8} />;
