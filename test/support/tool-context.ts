import { RunState } from "../../src/agent/run-state.js";
import { StateView } from "../../src/agent/state-view.js";
import { validateSessionId, validateUserId } from "../../src/ids.js";
import type { SessionState } from "../../src/memory/memory.js";
import type { ToolContext } from "../../src/tools/tool.js";

const ALICE_AT_WORK = { userId: validateUserId("alice"), sessionId: validateSessionId("work") };

/** The context of a tool call in a run of alice that began with this session state. */
export function toolContext({
  state: base = {},
  signal = new AbortController().signal,
}: {
  readonly state?: SessionState;
  readonly signal?: AbortSignal;
} = {}): ToolContext {
  const { state, update } = new StateView(new RunState(base));
  return { ...ALICE_AT_WORK, runId: "run-1", state, update, signal };
}
