/** The key belongs to a field, a menu or another widget that reads letters itself. */
export function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      target.closest('input, textarea, select, [role=listbox], [role=menu], [role=combobox], [role=radiogroup]') !== null)
  );
}
