import { InMemory } from "../../memory/in-memory.js";
import type { StoredMessage } from "../../messages.js";
import { agentOver } from "../battery.js";
import { overlap } from "../phases/overlap.js";
import { reopened } from "../phases/reopened.js";
import { SESSIONS } from "../users.js";
import type { Double } from "./double.js";
import { changed, type Wrapped } from "./memory-doubles.js";
import { standIns } from "./stand-in.js";

/** A sound memory, except that opening it again opens another one. */
const double = (name: string, methods: (memory: InMemory) => Wrapped): Double => ({
  name,
  open() {
    const memory = new InMemory();
    const again = changed(memory, methods(memory));
    return {
      open: agentOver(memory),
      async phases(stage, parts) {
        await overlap(stage, SESSIONS.length);
        await reopened(stage, standIns(() => again)(parts));
      },
    };
  },
});

const endingEarly = (
  name: string,
  last: (messages: readonly StoredMessage[]) => number | undefined,
): Double =>
  double(name, () => ({
    read(call, userId, options) {
      const snapshot = call(userId, options);
      return { ...snapshot, messages: snapshot.messages.slice(0, last(snapshot.messages)) };
    },
    getMessages(call, userId, options) {
      const messages = call(userId, options);
      return messages.slice(0, last(messages));
    },
  }));

export const REOPENED_DOUBLES: readonly Double[] = [
  endingEarly("a store that loses its last run when it is opened again", (messages) => {
    const last = messages.at(-1)?.runId;
    return messages.findIndex(({ runId }) => runId === last);
  }),
  endingEarly("a store that keeps half a run when it is opened again", () => -1),
  double("a store that mixes up two users when it is opened again", (memory) => {
    const other = (userId = "default") => {
      const users = memory.users().map((user) => user.userId);
      return users[(users.indexOf(userId) + 1) % users.length] ?? userId;
    };
    return {
      read: (call, userId, options) => call(other(userId), options),
      getMessages: (call, userId, options) => call(other(userId), options),
    };
  }),
];
