/* Finding by typing: every word typed must be in the label or among the words; what begins with it comes first. */

function score(wanted: readonly string[], label: string, words: string): number {
  let sum = 0;
  for (const word of wanted) {
    const at = label.indexOf(word);
    if (at === 0) sum += 8;
    else if (at > 0) sum += /[\s/@_.:-]/.test(label.charAt(at - 1)) ? 5 : 3;
    else if (words.includes(word)) sum += 1;
    else return 0;
  }
  return sum + 2 / (2 + label.length);
}

export function rank<T>(items: readonly T[], text: string, label: (item: T) => string, words: (item: T) => string): T[] {
  const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
  return items
    .map((item, index) => ({ item, index, score: score(wanted, label(item).toLowerCase(), words(item).toLowerCase()) }))
    .filter((one) => one.score > 0)
    .sort((a, b) => b.score - a.score || a.index - b.index)
    .map((one) => one.item);
}
