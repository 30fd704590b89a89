/** An unused name for a new session: `session-2` when there is one already, and so on. */
export function unusedSessionName(taken: readonly string[]): string {
  const used = new Set(taken);
  let number = used.size + 1;
  while (used.has(`session-${number}`)) number++;
  return `session-${number}`;
}
