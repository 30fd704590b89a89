import assert from "node:assert/strict";
import type { Awaitable, Memory } from "../../memory/memory.js";
import { userMessage } from "../../messages.js";
import { plain, rejects, texts } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

/** Each deletes at least what the user has in the session `default`. */
const OWN_CLEARS: readonly ((memory: Memory, user: string) => Awaitable<unknown>)[] = [
  (memory, user) => memory.clear(user),
  (memory, user) => memory.clear(user, { sessionId: "default" }),
  (memory) => memory.clearAll(),
];

export const clearedHistories: MemoryChecks = {
  "refuses to continue a history that was cleared, and stores nothing": async ({ memory }) => {
    for (const [index, clear] of OWN_CLEARS.entries())
      for (const first of [false, true]) {
        const user = `user-${index}-${first}`;
        if (!first) await memory.add(userMessage("old"), user);
        const { generation } = await memory.read(user);
        if (first) await memory.add(userMessage("of another run"), user);
        await clear(memory, user);
        const state = { key: 1 };
        await rejects("HISTORY_CLEARED", () =>
          memory.add(userMessage("x"), user, { generation, state }),
        );
        await rejects("HISTORY_CLEARED", () => memory.add([], user, { generation }));
        assert.equal(await memory.size(user), 0);
        assert.deepEqual(plain(await memory.getState(user)), {});
        // A new run has begun since: the old one still must not continue it.
        await memory.add(userMessage("new"), user);
        await rejects("HISTORY_CLEARED", () => memory.add(userMessage("x"), user, { generation }));
        assert.deepEqual(texts(await memory.getMessages(user)), ["new"]);
      }
  },

  "lets a run continue after a clear that found nothing": async ({ memory }) => {
    const { generation } = await memory.read("a");
    for (const clear of OWN_CLEARS) await clear(memory, "a");
    await memory.removeInactive(0);
    assert.equal((await memory.read("a")).generation, generation);
    await memory.add(userMessage("first"), "a", { generation });
    assert.deepEqual(texts(await memory.getMessages("a")), ["first"]);
  },

  "lets a run continue when only another user or session was cleared": async ({ memory }) => {
    for (const stored of [false, true]) {
      const user = `user-${stored}`;
      if (stored) await memory.add(userMessage("old"), user);
      await memory.add(userMessage("hi"), user, { sessionId: "another" });
      const { generation } = await memory.read(user);
      for (const scope of [{}, { sessionId: "default" }]) {
        await memory.add(userMessage("hi"), "someone else");
        await memory.clear("someone else", scope);
      }
      await memory.clear(user, { sessionId: "another" });
      await memory.add(userMessage("new"), user, { generation });
      assert.equal(await memory.size(user), stored ? 2 : 1);
    }
  },

  "lets a run continue after other adds, and start again after a clear with a new read": async ({
    memory,
  }) => {
    const before = await memory.read("a");
    await memory.add(userMessage("meanwhile"), "a");
    await memory.add(userMessage("late"), "a", { generation: before.generation });
    await memory.clear("a");
    const after = await memory.read("a");
    await memory.add(userMessage("again"), "a", { generation: after.generation });
    assert.deepEqual(texts(await memory.getMessages("a")), ["again"]);
    assert.equal((await memory.read("a")).total, 1);
  },

  "refuses a generation it never returned": async ({ memory }) => {
    const { generation } = await memory.read("a");
    await rejects("HISTORY_CLEARED", () =>
      memory.add(userMessage("x"), "a", { generation: generation + 1 }),
    );
  },

  "refuses to continue what removeInactive deleted, but not what it kept": async ({
    memory,
    clock,
  }) => {
    await memory.add(userMessage("old"), "idle");
    const idle = await memory.read("idle");
    clock.now += 2_000;
    await memory.add(userMessage("fresh"), "busy");
    const busy = await memory.read("busy");
    await memory.removeInactive(1_000);
    await rejects("HISTORY_CLEARED", () =>
      memory.add(userMessage("x"), "idle", { generation: idle.generation }),
    );
    await memory.add(userMessage("more"), "busy", { generation: busy.generation });
    assert.deepEqual([await memory.size("idle"), await memory.size("busy")], [0, 2]);
  },

  "never ends a first run because others were cleared, however often within a day": async ({
    memory,
    clock,
  }) => {
    const { generation } = await memory.read("first");
    for (let index = 0; index < 30; index += 1) {
      clock.now += 45 * 60_000;
      await memory.add(userMessage("hi"), `user-${index}`);
      await memory.add(userMessage("hi"), "first", { sessionId: "another" });
      await memory.clear(`user-${index}`);
      await memory.clear("first", { sessionId: "another" });
    }
    await memory.add(userMessage("mine"), "first", { generation });
    assert.deepEqual(texts(await memory.getMessages("first")), ["mine"]);
  },

  "never restores a history whose clear is forgotten, and still continues one that was kept":
    async ({ memory, clock }) => {
      await memory.add(userMessage("old"), "stayed");
      const { generation } = await memory.read("cleared");
      await memory.add(userMessage("of another run"), "cleared");
      await memory.clear("cleared");
      for (let day = 0; day < 5; day += 1) {
        clock.now += 25 * 3_600_000;
        await memory.add(userMessage("hi"), "someone else");
        await memory.clear("someone else");
      }
      await rejects("HISTORY_CLEARED", () =>
        memory.add(userMessage("x"), "cleared", { generation }),
      );
      await memory.add(userMessage("late"), "stayed", { generation });
      assert.equal(await memory.size("stayed"), 2);
    },
};
