import { AgnoChatError } from "../../errors.js";
import type { Awaitable, Memory } from "../../memory/memory.js";
import type { Model } from "../../models/model.js";
import { type KnownKeys, refuseUnknownKeys } from "../../options.js";
import type { Toolkit } from "../../tools/tool.js";
import type { AgentParts, AgentUnderCheck } from "../battery.js";

/** A memory for the check alone, which is empty and may be emptied. */
export interface ThrowawayMemory {
  open(): Awaitable<Memory>;
  /** As `spec` of a target: here other processes write and are killed. */
  readonly spec?: string | undefined;
  /** Everything of it that lies on disk once it is closed, to look for texts that were cleared. */
  bytes?(): Awaitable<Uint8Array>;
}

/** Our agent over your memory and tools. */
export interface MemoryTarget {
  readonly memory: Memory;
  /**
   * How other processes open the same memory: `sqlite:PATH` or `postgres://…`. They write to it,
   * for users of the check alone, unless the throw-away memory has a `spec`. Default: none can.
   */
  readonly spec?: string | undefined;
  /** A memory of the same kind, for what a memory in use must not be asked for. */
  readonly throwaway?: ThrowawayMemory | undefined;
  /** All users call every tool in every other run, with arguments generated from its schema. */
  readonly toolkits?: readonly Toolkit[] | undefined;
}

/** An agent that you build around the parts of the check. */
export interface AgentTarget {
  /** Called more than once, always over the same memory. */
  readonly agent: (parts: AgentParts) => AgentUnderCheck;
}

/** The check's own model, as an OpenAI-compatible server on loopback. */
export interface VerifyUpstream {
  /** For a client of the API; ends in `/v1`. Any key and any model name will do. */
  readonly baseURL: string;
}

/** Our agent over your model adapter. */
export interface ModelTarget {
  /**
   * A function that opens the adapter on the check's own model, which sees everything it sends. Or
   * an adapter, which then answers itself, about 15 times: what it sends on stays unseen, so that
   * leaks can be found, but isolation is not shown.
   */
  readonly model: Model | ((upstream: VerifyUpstream) => Awaitable<Model>);
}

/** Any app that a function can reach. */
export interface SendTarget {
  /** Sends one message of a user and resolves to the reply. Many users' sends overlap. */
  readonly send: (userId: string, message: string, signal: AbortSignal) => Awaitable<string>;
  /**
   * Points the app at the check's own model, before the first message. Without it only replies can
   * be judged, so that leaks can be found, but isolation is not shown.
   */
  readonly upstream?: ((upstream: VerifyUpstream) => Awaitable<void>) | undefined;
  /** Clears everything the app keeps of a user. */
  readonly clear?: ((userId: string, signal: AbortSignal) => Awaitable<void>) | undefined;
}

/** What is checked. */
export type VerifyTarget = MemoryTarget | AgentTarget | ModelTarget | SendTarget;

const KNOWN = {
  memory: {
    ...{ memory: true, spec: true, throwaway: true, toolkits: true },
  } satisfies KnownKeys<MemoryTarget>,
  agent: { agent: true } satisfies KnownKeys<AgentTarget>,
  model: { model: true } satisfies KnownKeys<ModelTarget>,
  send: { send: true, upstream: true, clear: true } satisfies KnownKeys<SendTarget>,
} as const;

const KINDS = Object.keys(KNOWN) as (keyof typeof KNOWN)[];

/** @throws {AgnoChatError} `USAGE` for a target without exactly one kind, or an unknown key */
export function checkTarget(target: VerifyTarget): void {
  const kind = KINDS.find((name) => name in Object(target));
  if (kind === undefined)
    throw new AgnoChatError("USAGE", "verifyIsolation was given nothing to check.", {
      hint: `Give it one of ${KINDS.join(", ")}.`,
    });
  refuseUnknownKeys<object>(target, KNOWN[kind], `verifyIsolation({ ${kind} })`);
}
