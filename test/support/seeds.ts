/** Seeds of schedules: a few, or as many as `AGNO_CHAT_TEST_SEEDS` says. */
export const seeds = (few = 5): number[] =>
  Array.from({ length: Number(process.env.AGNO_CHAT_TEST_SEEDS ?? few) }, (_, index) => index + 1);
