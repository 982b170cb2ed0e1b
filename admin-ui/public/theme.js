/* Before the first paint: the theme that was chosen, if one was (src/app/theme.ts writes it). */
try {
  const theme = localStorage.getItem('sluice.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  /* storage is closed to us: the system's theme holds */
}
