/* Modules that the build makes of the product's tables (tools/defs.ts). */
declare module 'virtual:scopes' {
  import type { ScopeRow } from '../tools/defs';
  const rows: ScopeRow[];
  export default rows;
}

declare module 'virtual:errors' {
  import type { ErrorRow } from '../tools/defs';
  const rows: ErrorRow[];
  export default rows;
}
