import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import {
  AbortableWaits,
  Cancellation,
  limitTime,
  onAbort,
  pause,
  untilAborted,
} from "../src/abort.js";

const reason = new Error("enough");
const never = new Promise<never>(() => {});
const listeners = (signal: AbortSignal) => getEventListeners(signal, "abort").length;

describe("onAbort", () => {
  test("calls the listener once, when the signal aborts", () => {
    const controller = new AbortController();
    let calls = 0;
    onAbort(controller.signal, () => calls++);
    expect(calls).toBe(0);
    controller.abort();
    controller.abort();
    expect(calls).toBe(1);
  });

  test("calls the listener at once when the signal has aborted already", () => {
    let calls = 0;
    onAbort(AbortSignal.abort(), () => calls++);
    expect(calls).toBe(1);
  });

  test("returns the removal of the listener", () => {
    const controller = new AbortController();
    onAbort(controller.signal, () => expect.unreachable())();
    controller.abort();
  });
});

describe("untilAborted", () => {
  test("passes on what the work returns or throws, and keeps no listener", async () => {
    const { signal } = new AbortController();
    expect(await untilAborted("plain", signal)).toBe("plain");
    expect(await untilAborted(Promise.resolve("later"), signal)).toBe("later");
    await expect(untilAborted(Promise.reject(reason), signal)).rejects.toBe(reason);
    expect(listeners(signal)).toBe(0);
  });

  test("rejects with the reason of the signal, before and during the work", async () => {
    const controller = new AbortController();
    const waiting = untilAborted(never, controller.signal);
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(untilAborted(never, controller.signal)).rejects.toBe(reason);
  });

  test("ignores a failure of abandoned work", async () => {
    const failing = Promise.reject(new Error("too late"));
    await expect(untilAborted(failing, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

test("AbortableWaits shares one listener between its waits", async () => {
  const controller = new AbortController();
  const waits = new AbortableWaits(controller.signal);
  for (const number of [1, 2, 3]) expect(await waits.until(Promise.resolve(number))).toBe(number);
  expect(listeners(controller.signal)).toBe(1);
  const last = waits.until(never);
  controller.abort(reason);
  await expect(last).rejects.toBe(reason);
  waits.end();
  expect(listeners(controller.signal)).toBe(0);
});

test("pause ends after its time, or with the reason of the signal", async () => {
  const controller = new AbortController();
  await pause(0, controller.signal);
  const long = pause(60_000, controller.signal);
  controller.abort(reason);
  await expect(long).rejects.toBe(reason);
});

describe("limitTime", () => {
  test("aborts with the reason given when the time is over", async () => {
    const { signal } = limitTime(new AbortController().signal, 0, () => reason);
    await expect(untilAborted(never, signal)).rejects.toBe(reason);
  });

  test("aborts with the caller's reason, until it has ended", () => {
    const caller = new AbortController();
    const first = limitTime(caller.signal, 60_000, () => "time is over");
    const ended = limitTime(caller.signal, 60_000, () => "time is over");
    ended.end();
    caller.abort(reason);
    expect(first.signal.reason).toBe(reason);
    expect(ended.signal.aborted).toBe(false);
    first.end();
  });
});

describe("Cancellation", () => {
  test("aborts its signal with the reason, whether that is read before or after", () => {
    const cancellation = new Cancellation();
    const { signal } = cancellation;
    expect(signal.aborted).toBe(false);
    cancellation.abort(reason);
    expect(signal.reason).toBe(reason);
    expect(cancellation.signal).toBe(signal);
    const late = new Cancellation();
    late.abort(reason);
    expect(late.signal.reason).toBe(reason);
  });

  test("keeps its first reason, and calls each listener once", () => {
    const cancellation = new Cancellation();
    const called: string[] = [];
    onAbort(cancellation, () => called.push("first"));
    const remove = onAbort(cancellation, () => called.push("removed"));
    onAbort(cancellation, () => called.push("second"));
    remove();
    cancellation.throwIfAborted();
    cancellation.abort(reason);
    cancellation.abort("later");
    remove();
    expect(called).toEqual(["first", "second"]);
    expect(cancellation.reason).toBe(reason);
    expect(() => cancellation.throwIfAborted()).toThrow(reason);
    onAbort(cancellation, () => called.push("at once"));
    expect(called).toEqual(["first", "second", "at once"]);
  });

  test("ends the waits for work that ignores it", async () => {
    const cancellation = new Cancellation();
    const waiting = untilAborted(never, cancellation);
    cancellation.abort(reason);
    await expect(waiting).rejects.toBe(reason);
    await expect(untilAborted(never, cancellation)).rejects.toBe(reason);
  });
});
