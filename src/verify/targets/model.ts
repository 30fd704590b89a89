import { InMemory } from "../../memory/in-memory.js";
import type { Model } from "../../models/model.js";
import { agentOver, type BatteryOptions, type BatteryResult, runBattery } from "../battery.js";
import { openUpstream, type Upstream } from "../upstream.js";
import { watchedModel } from "../watched-model.js";
import type { VerifyUpstream } from "./target.js";

type ModelOptions = Pick<BatteryOptions, "users" | "rounds" | "seed" | "signal" | "record">;

/** Drives our agent over an adapter that asks the check's own model. */
export async function verifyAdapter(
  open: (upstream: VerifyUpstream) => Model | Promise<Model>,
  options: ModelOptions,
): Promise<BatteryResult> {
  let upstream: Upstream | undefined;
  try {
    return await runBattery({
      ...options,
      // An adapter may word a request in its own way, and number the calls of tools.
      exact: false,
      open: agentOver(new InMemory()),
      openModel: async (recorder, report) => {
        const answer = recorder.receive.bind(recorder);
        upstream = await openUpstream({ host: "127.0.0.1", port: 0, answer });
        return watchedModel(await open({ baseURL: upstream.url }), report);
      },
    });
  } finally {
    await upstream?.close();
  }
}
