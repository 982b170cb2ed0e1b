/* Changes, and what they make stale. A change is done when the API says it is durable. */
import { useMutation, useQueryClient, type QueryKey } from '@tanstack/react-query';
import { done as say } from '~/ui/toast';

interface ChangeOptions<T> {
  /** Names of what has to be read again. */
  touches: QueryKey[];
  /** What is said when it is done. */
  done?: string | ((result: T) => string);
  onDone?: (result: T) => void;
}

/** One kind of change as a mutation. Its error stays in the mutation: whoever shows the form shows it. */
export function useChange<V, T>(change: (variables: V) => Promise<T>, { touches, done, onDone }: ChangeOptions<T>) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSuccess: async (result) => {
      if (done !== undefined) say(typeof done === 'function' ? done(result) : done);
      onDone?.(result);
      await Promise.all(touches.map((queryKey) => queries.invalidateQueries({ queryKey })));
    },
  });
}

/** A change that is shown before it is made and taken back if it is refused. `apply` gives the new data; it must not change the old. */
export function useEagerChange<V, D>(
  key: QueryKey,
  change: (variables: V) => Promise<unknown>,
  apply: (data: D, variables: V) => D,
  onFail: (error: unknown) => void,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: change,
    onMutate: async (variables: V) => {
      await queries.cancelQueries({ queryKey: key, exact: true });
      const before = queries.getQueryData<D>(key);
      if (before !== undefined) queries.setQueryData<D>(key, apply(before, variables));
      return { before };
    },
    onError: (error, _variables, context) => {
      if (context?.before !== undefined) queries.setQueryData(key, context.before);
      onFail(error);
    },
    // Only the last of several at once reads again, so that no older answer shows through.
    onSettled: async () => {
      if (queries.isMutating() === 1) await queries.invalidateQueries({ queryKey: key });
    },
  });
}
