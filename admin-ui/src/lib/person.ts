/** What a person is called: by name, else by e-mail address. */
export const personName = (row: { first_name: string; last_name: string; email: string }): string =>
  `${row.first_name} ${row.last_name}`.trim() || row.email;
