/** A name for a new session that none of these has: `session-2` beside one other, and so on. */
export function unusedSessionName(taken: readonly string[]): string {
  const used = new Set(taken);
  let number = used.size + 1;
  while (used.has(`session-${number}`)) number++;
  return `session-${number}`;
}
