import assert from "node:assert/strict";
import { assistantMessage, userMessage } from "../../messages.js";
import { plain, rejects } from "./memory-assertions.js";
import type { MemoryChecks } from "./memory-fixture.js";

export const inactiveUsers: MemoryChecks = {
  "removes everything of users inactive for longer than maxAge, and of no other user": async ({
    memory,
    clock,
  }) => {
    await memory.add([userMessage("q"), assistantMessage("a")], "old");
    await memory.add(userMessage("q"), "old", { sessionId: "s2", state: { key: 1 } });
    await memory.add(userMessage("q"), "old but running");
    await memory.add(userMessage("q"), "back again");
    clock.now += 1;
    await memory.add(userMessage("q"), "just in time");
    clock.now += 1_000;
    await memory.add([], "back again", { state: { key: 1 } });
    assert.deepEqual(await memory.removeInactive(1_000, { except: new Set(["old but running"]) }), {
      users: 1,
      sessions: 2,
      messages: 3,
    });
    const left = (await memory.users()).map(({ userId }) => userId);
    assert.deepEqual(left.sort(), ["back again", "just in time", "old but running"]);
    assert.deepEqual(plain(await memory.getState("old", { sessionId: "s2" })), {});
    assert.equal((await memory.removeInactive(Infinity)).users, 0);
  },

  "removes any number of inactive users": async ({ memory, clock }) => {
    for (let index = 0; index < 120; index += 1)
      await memory.add(userMessage("q"), `user-${index}`);
    clock.now += 10;
    assert.deepEqual(await memory.removeInactive(0, { force: true }), {
      users: 120,
      sessions: 120,
      messages: 120,
    });
    assert.deepEqual(await memory.users(), []);
  },

  "removes nobody when a wrong clock makes most users look inactive, unless forced": async ({
    memory,
    clock,
  }) => {
    for (const user of ["a", "b", "c", "d", "e", "f"]) await memory.add(userMessage("hi"), user);
    clock.now += 365 * 86_400_000;
    for (const user of ["g", "h", "i", "j", "k"]) await memory.add(userMessage("hi"), user);
    await rejects("TOO_MANY_INACTIVE", () => memory.removeInactive(1_000));
    await rejects("TOO_MANY_INACTIVE", () => memory.removeInactive(1_000, { force: false }));
    assert.equal((await memory.users()).length, 11);
    await memory.add(userMessage("hi"), "l");
    assert.equal((await memory.removeInactive(1_000)).users, 6);

    clock.now += 365 * 86_400_000;
    await rejects("TOO_MANY_INACTIVE", () => memory.removeInactive(1_000));
    assert.equal((await memory.removeInactive(1_000, { force: true })).users, 6);
    await memory.add(userMessage("hi"), "a");
    clock.now += 2_000;
    assert.equal((await memory.removeInactive(1_000)).users, 1);
  },

  "never moves a user's last activity back when the clock goes back": async ({ memory, clock }) => {
    const { now } = clock;
    await memory.add(userMessage("early"), "a");
    clock.now -= 365 * 86_400_000;
    await memory.add(userMessage("late"), "a", { state: { key: 1 } });
    await memory.add([], "a", { sessionId: "s2", state: { key: 1 } });
    const [user] = await memory.users();
    assert.equal(user?.lastActivity, new Date(now).toISOString());
    const sessions = await memory.sessions("a");
    assert.deepEqual(
      sessions.map(({ lastActivity }) => lastActivity),
      [now, clock.now].map((time) => new Date(time).toISOString()),
    );
    clock.now = now + 500;
    assert.equal((await memory.removeInactive(1_000)).users, 0);
    clock.now = now + 1_001;
    assert.equal((await memory.removeInactive(1_000)).users, 1);
  },

  "removes nobody if a user to keep has an invalid id": async ({ memory, clock }) => {
    await memory.add(userMessage("hi"), "a");
    clock.now += 1_000;
    const except = new Set(["a\u00a0"]);
    await rejects("INVALID_USER_ID", () => memory.removeInactive(0, { except }));
    assert.equal((await memory.users()).length, 1);
  },

  "refuses a maxAge that is not a duration": async ({ memory }) => {
    for (const wrong of [-1, Number.NaN, "1" as unknown as number])
      await rejects("INVALID_INPUT", () => memory.removeInactive(wrong));
  },
};
