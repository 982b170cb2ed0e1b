/* Every address of the console. Pages are fetched when they are first shown. */
import type { QueryClient } from '@tanstack/react-query';
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { current } from '~/auth/person';
import { resume, session } from '~/auth/session';
import { SignIn } from '~/auth/sign-in';
import { Toasts } from '~/ui/toast';
import { NotFound, PageFailed, PageLoading } from './edges';
import { Shell } from './shell';
import { homeWorkspace, remember } from './workspace';

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

/** Search parameters that are texts, by name; what is empty leaves the address. */
const texts =
  <N extends string>(...names: N[]) =>
  (search: Record<string, unknown>): Partial<Record<N, string>> => {
    const found: Partial<Record<N, string>> = {};
    for (const name of names) {
      const value = text(search[name]);
      if (value !== undefined) found[name] = value;
    }
    return found;
  };

/* Apart from the routes, so that their types do not depend on where they are used. */
const searches = {
  signIn: texts('to'),
  integrations: texts('tab', 'q', 'kind'),
  connect: texts('workspace', 'self'),
  integration: texts('tab', 'step', 'q', 'show'),
  providers: texts('q'),
  models: texts('q', 'provider', 'type', 'can', 'context', 'price', 'sort'),
  model: texts('snippet'),
  playground: texts('models'),
  list: texts('q'),
  usage: texts('range', 'show', 'by'),
  audit: texts('type', 'action'),
};

const root = createRootRouteWithContext<{ queries: QueryClient }>()({
  component: () => (
    <>
      <Outlet />
      <Toasts />
    </>
  ),
  notFoundComponent: NotFound,
  beforeLoad: () => resume(current),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  component: SignIn,
  validateSearch: searches.signIn,
  beforeLoad: ({ search }) => {
    if (session() !== null) throw redirect({ href: search.to ?? '/' });
  },
});

const invite = createRoute({
  getParentRoute: () => root,
  path: '/invite',
  component: lazyRouteComponent(() => import('~/auth/set-password'), 'InvitePage'),
});

const reset = createRoute({
  getParentRoute: () => root,
  path: '/reset',
  component: lazyRouteComponent(() => import('~/auth/set-password'), 'ResetPage'),
});

/* The guide is open to everybody. */
const guide = createRoute({
  getParentRoute: () => root,
  path: '/docs',
  component: lazyRouteComponent(() => import('~/features/guide/guide-page'), 'GuidePage'),
});

const guidePage = createRoute({
  getParentRoute: () => root,
  path: '/docs/$page',
  component: lazyRouteComponent(() => import('~/features/guide/guide-page'), 'GuidePage'),
});

const inside = createRoute({
  getParentRoute: () => root,
  id: 'inside',
  component: Shell,
  beforeLoad: ({ location }) => {
    if (session() !== null) return;
    const to = location.href;
    throw redirect({ to: '/sign-in', search: to === '/' ? {} : { to } });
  },
});

const home = createRoute({
  getParentRoute: () => inside,
  path: '/',
  beforeLoad: () => {
    const now = session();
    if (now === null) return;
    const workspace = homeWorkspace(now);
    if (now.admin || workspace === undefined) throw redirect({ to: '/integrations' });
    throw redirect({ to: '/w/$workspace/models', params: { workspace: workspace.slug } });
  },
});

const integrations = createRoute({
  getParentRoute: () => inside,
  path: '/integrations',
  validateSearch: searches.integrations,
  component: lazyRouteComponent(() => import('~/features/integrations/integrations-page'), 'IntegrationsPage'),
});

const connect = createRoute({
  getParentRoute: () => inside,
  path: '/integrations/connect/$provider',
  validateSearch: searches.connect,
  component: lazyRouteComponent(() => import('~/features/integrations/connect-page'), 'ConnectPage'),
});

const integration = createRoute({
  getParentRoute: () => inside,
  path: '/integrations/$integration',
  validateSearch: searches.integration,
  component: lazyRouteComponent(() => import('~/features/integrations/integration-page'), 'IntegrationPage'),
});

const workspace = createRoute({
  getParentRoute: () => inside,
  path: '/w/$workspace',
  beforeLoad: ({ params }) => {
    if (session()?.workspaces.some((one) => one.slug === params.workspace)) remember(params.workspace);
  },
});

const providers = createRoute({
  getParentRoute: () => workspace,
  path: 'providers',
  validateSearch: searches.providers,
  component: lazyRouteComponent(() => import('~/features/providers/providers-page'), 'ProvidersPage'),
});

const newProvider = createRoute({
  getParentRoute: () => workspace,
  path: 'providers/new',
  component: lazyRouteComponent(() => import('~/features/providers/new-provider-page'), 'NewProviderPage'),
});

const provider = createRoute({
  getParentRoute: () => workspace,
  path: 'providers/$provider',
  component: lazyRouteComponent(() => import('~/features/providers/provider-page'), 'ProviderPage'),
});

const catalog = createRoute({ getParentRoute: () => workspace, path: 'models' });

const models = createRoute({
  getParentRoute: () => catalog,
  path: '/',
  validateSearch: searches.models,
  component: lazyRouteComponent(() => import('~/features/models/models-page'), 'ModelsPage'),
});

const model = createRoute({
  getParentRoute: () => catalog,
  path: '$',
  validateSearch: searches.model,
  component: lazyRouteComponent(() => import('~/features/models/model-page'), 'ModelPage'),
});

const playground = createRoute({
  getParentRoute: () => workspace,
  path: 'playground',
  validateSearch: searches.playground,
  component: lazyRouteComponent(() => import('~/features/playground/playground-page'), 'PlaygroundPage'),
});

const keys = createRoute({
  getParentRoute: () => workspace,
  path: 'keys',
  validateSearch: searches.list,
  component: lazyRouteComponent(() => import('~/features/keys/keys-page'), 'KeysPage'),
});

const newKey = createRoute({
  getParentRoute: () => workspace,
  path: 'keys/new',
  component: lazyRouteComponent(() => import('~/features/keys/new-key-page'), 'NewKeyPage'),
});

const key = createRoute({
  getParentRoute: () => workspace,
  path: 'keys/$key',
  component: lazyRouteComponent(() => import('~/features/keys/key-page'), 'KeyPage'),
});

const configs = createRoute({
  getParentRoute: () => workspace,
  path: 'configs',
  validateSearch: searches.list,
  component: lazyRouteComponent(() => import('~/features/configs/configs-page'), 'ConfigsPage'),
});

const newConfig = createRoute({
  getParentRoute: () => workspace,
  path: 'configs/new',
  component: lazyRouteComponent(() => import('~/features/configs/new-config-page'), 'NewConfigPage'),
});

const config = createRoute({
  getParentRoute: () => workspace,
  path: 'configs/$config',
  component: lazyRouteComponent(() => import('~/features/configs/config-page'), 'ConfigPage'),
});

const members = createRoute({
  getParentRoute: () => workspace,
  path: 'members',
  component: lazyRouteComponent(() => import('~/features/workspaces/members-page'), 'MembersPage'),
});

const settings = createRoute({
  getParentRoute: () => workspace,
  path: 'settings',
  component: lazyRouteComponent(() => import('~/features/workspaces/settings-page'), 'SettingsPage'),
});

const usage = createRoute({
  getParentRoute: () => workspace,
  path: 'usage',
  validateSearch: searches.usage,
  component: lazyRouteComponent(() => import('~/features/usage/usage-page'), 'UsagePage'),
});

const organisationUsage = createRoute({
  getParentRoute: () => inside,
  path: '/usage',
  validateSearch: searches.usage,
  component: lazyRouteComponent(() => import('~/features/usage/usage-page'), 'OrganisationUsagePage'),
});

const planes = createRoute({
  getParentRoute: () => inside,
  path: '/data-planes',
  component: lazyRouteComponent(() => import('~/features/planes/planes-page'), 'PlanesPage'),
});

const audit = createRoute({
  getParentRoute: () => inside,
  path: '/audit-log',
  validateSearch: searches.audit,
  component: lazyRouteComponent(() => import('~/features/audit/audit-page'), 'AuditPage'),
});

const workspaces = createRoute({
  getParentRoute: () => inside,
  path: '/workspaces',
  validateSearch: searches.list,
  component: lazyRouteComponent(() => import('~/features/workspaces/workspaces-page'), 'WorkspacesPage'),
});

const organisationKeys = createRoute({
  getParentRoute: () => inside,
  path: '/keys',
  validateSearch: searches.list,
  component: lazyRouteComponent(() => import('~/features/keys/keys-page'), 'OrganisationKeysPage'),
});

const newOrganisationKey = createRoute({
  getParentRoute: () => inside,
  path: '/keys/new',
  component: lazyRouteComponent(() => import('~/features/keys/new-key-page'), 'NewOrganisationKeyPage'),
});

const organisationKey = createRoute({
  getParentRoute: () => inside,
  path: '/keys/$key',
  component: lazyRouteComponent(() => import('~/features/keys/key-page'), 'OrganisationKeyPage'),
});

const design = createRoute({
  getParentRoute: () => inside,
  path: '/design',
  component: lazyRouteComponent(() => import('~/features/design/design-page'), 'DesignPage'),
});

const tree = root.addChildren([
  signIn,
  invite,
  reset,
  guide,
  guidePage,
  inside.addChildren([
    home,
    integrations,
    connect,
    integration,
    workspace.addChildren([
      providers,
      newProvider,
      provider,
      catalog.addChildren([models, model]),
      playground,
      keys,
      newKey,
      key,
      configs,
      newConfig,
      config,
      members,
      settings,
      usage,
    ]),
    workspaces,
    organisationUsage,
    planes,
    audit,
    organisationKeys,
    newOrganisationKey,
    organisationKey,
    design,
  ]),
]);

export const makeRouter = (queries: QueryClient) =>
  createRouter({
    routeTree: tree,
    context: { queries },
    defaultPreload: 'intent',
    defaultPreloadDelay: 60,
    defaultPendingComponent: PageLoading,
    defaultPendingMs: 300,
    defaultErrorComponent: PageFailed,
    scrollRestoration: true,
    pathParamsAllowedCharacters: ['@', ':', ',', '+', '='],
  });

declare module '@tanstack/react-router' {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
