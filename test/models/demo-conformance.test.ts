import { describe, it } from "vitest";
import { DemoModel } from "../../src/models/demo.js";
import { modelConformance } from "../../src/testing/model-conformance.js";

modelConformance({
  name: "DemoModel",
  open: async () => ({ model: new DemoModel({ delayMs: 1 }) }),
  describe,
  it,
});
