import assert from "node:assert/strict";
import { AgnoChatError, type ErrorCode } from "../../errors.js";
import type { Awaitable, SessionState } from "../../memory/memory.js";
import type { StoredMessage } from "../../messages.js";

export const texts = (stored: readonly StoredMessage[]): string[] =>
  stored.map(({ content }) => content);

/** A plain object with sorted keys, so that neither the prototype nor the order matters. */
export const plain = (state: SessionState): Record<string, unknown> =>
  Object.fromEntries(Object.entries(state).sort(([left], [right]) => (left < right ? -1 : 1)));

/** Asserts that the call throws or rejects with this code, in one line. Returns the error. */
export async function rejects(
  code: ErrorCode,
  call: () => Awaitable<unknown>,
): Promise<AgnoChatError> {
  try {
    await call();
  } catch (error) {
    assert.ok(error instanceof AgnoChatError, `expected ${code}, got ${String(error)}`);
    assert.equal(error.code, code);
    assert.doesNotMatch(error.message, /\n/);
    return error;
  }
  throw new assert.AssertionError({ message: `expected ${code}, but nothing was thrown` });
}
