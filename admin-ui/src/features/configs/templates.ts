/* What a new config begins with: the usual intentions, with two models of the workspace in them. */

export interface Template {
  id: string;
  label: string;
  note: string;
  /** The document's text with two models, "@provider/model". */
  document: (first: string, second: string) => string;
}

const text = (document: unknown): string => JSON.stringify(document, null, 2);
const target = (model: string, more: object = {}) => ({ override_params: { model }, ...more });

export const TEMPLATES: Template[] = [
  {
    id: 'fallback',
    label: 'Fallback',
    note: 'Another model when the first fails',
    document: (first, second) => text({ strategy: { mode: 'fallback' }, targets: [target(first), target(second)] }),
  },
  {
    id: 'loadbalance',
    label: 'Load balancing',
    note: 'Shared out by weight',
    document: (first, second) =>
      text({ strategy: { mode: 'loadbalance' }, targets: [target(first, { weight: 0.8 }), target(second, { weight: 0.2 })] }),
  },
  {
    id: 'conditional',
    label: 'Conditions',
    note: 'By metadata or parameters',
    document: (first, second) =>
      text({
        strategy: {
          mode: 'conditional',
          conditions: [{ query: { 'metadata.plan': { $eq: 'paid' } }, then: 'paid' }],
          default: 'free',
        },
        targets: [target(first, { name: 'paid' }), target(second, { name: 'free' })],
      }),
  },
  {
    id: 'retry',
    label: 'Retry',
    note: 'The same model again, with a time limit',
    document: (first) => text({ retry: { attempts: 3 }, request_timeout: 30000, ...target(first) }),
  },
];
