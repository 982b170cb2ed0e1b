/* eslint-disable @typescript-eslint/consistent-type-imports */
/* Modules that the build makes of the product's tables and of the guide (tools/defs.ts, tools/guide.ts). Types are imported in place: a
 * statement of import would have no relative path here, and the rows no type. */
declare module 'virtual:scopes' {
  const rows: import('../tools/defs').ScopeRow[];
  export default rows;
}

declare module 'virtual:guide' {
  const pages: import('../tools/guide').GuidePage[];
  export default pages;
}

declare module 'virtual:errors' {
  const rows: import('../tools/defs').ErrorRow[];
  export default rows;
}
