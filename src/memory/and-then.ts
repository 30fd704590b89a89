import type { Awaitable } from "./memory.js";

/** Applies `next` to the value, without a promise unless it is one. */
export const andThen = <T, Next>(
  value: Awaitable<T>,
  next: (value: T) => Awaitable<Next>,
): Awaitable<Next> => (value instanceof Promise ? value.then(next) : next(value));
