/** Two works at once; when one of them fails, the other is ended before it is told. */
export async function atOnce<One, Other>(
  signal: AbortSignal,
  one: (signal: AbortSignal) => Promise<One>,
  other: (signal: AbortSignal) => Promise<Other>,
): Promise<[One, Other]> {
  const failed = new AbortController();
  const either = AbortSignal.any([signal, failed.signal]);
  const fail = (thrown: unknown): never => {
    failed.abort(thrown);
    throw thrown;
  };
  const works = [one(either).catch(fail), other(either).catch(fail)] as const;
  await Promise.allSettled(works);
  return Promise.all(works);
}
