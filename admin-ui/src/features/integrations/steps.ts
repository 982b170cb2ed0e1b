/** The way from a provider to models that a workspace can call. An integration of one workspace is given to nobody else. */
export const stepsOf = (ofWorkspace: boolean): string[] =>
  ofWorkspace ? ['Credentials', 'Models'] : ['Credentials', 'Workspaces', 'Models'];
