/* Modules that the build makes of the product's tables (tools/defs.ts). */
declare module 'virtual:scopes' {
  const rows: import('../tools/defs').ScopeRow[];
  export default rows;
}

declare module 'virtual:errors' {
  const rows: import('../tools/defs').ErrorRow[];
  export default rows;
}
