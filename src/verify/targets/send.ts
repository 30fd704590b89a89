import { untilAborted } from "../../abort.js";
import type { ChatApp } from "../doors/chat-app.js";
import { newPrefix, userIds } from "../users.js";
import { type AppCheckOptions, type AppResult, checkApp } from "./app.js";
import type { SendTarget } from "./target.js";

/** An app may be slow, so it is sent fewer messages than our own agent. */
export const APP_USERS = 6;
export const APP_RUNS = 30;

interface SendOptions extends Pick<AppCheckOptions, "rounds" | "seed" | "signal" | "record"> {
  readonly users: number;
}

/** Drives an app through a function, as `verifyApp` does over HTTP. */
export const verifySend = (
  target: SendTarget,
  { users, ...options }: SendOptions,
): Promise<AppResult> =>
  checkApp(sendApp(target), {
    ...options,
    // New ids each time: the app may have kept those of the last check.
    users: userIds(users, newPrefix()),
    ...(target.upstream !== undefined && {
      upstream: { host: "127.0.0.1", port: 0 },
      onUpstream: (baseURL) => target.upstream?.({ baseURL }),
    }),
  });

/** A function may ignore the signal, so it is left when that aborts. */
const sendApp = ({ send, clear }: SendTarget): ChatApp => ({
  name: "send",
  namesSession: false,
  clearsSession: false,
  send: ({ userId, text }, signal) => untilAborted(send(userId, text, signal), signal),
  clear: clear && (async ({ userId }, signal) => clear(userId, signal)),
});
