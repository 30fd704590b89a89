import type { Awaitable } from "../../memory/memory.js";
import { userMessage } from "../../messages.js";
import { rejects } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

export const afterClose: MemoryChecks = {
  "refuses every call after close, except another close, which does nothing": async ({
    memory,
  }) => {
    await memory.add(userMessage("hi"), "a");
    await memory.close();
    await memory.close();
    const calls: readonly (() => Awaitable<unknown>)[] = [
      () => memory.add(userMessage("hi"), "a"),
      () => memory.read("a"),
      () => memory.getMessages("a"),
      () => memory.getState("a"),
      () => memory.size("a"),
      () => memory.clear("a"),
      () => memory.clearAll(),
      () => memory.users(),
      () => memory.sessions("a"),
      () => memory.removeInactive(0),
    ];
    const { search } = memory;
    if (search !== undefined) await rejects("STORE_CLOSED", () => search.call(memory, "hi", "a"));
    for (const call of calls) await rejects("STORE_CLOSED", call);
  },
};
