import { setTimeout as delay } from "node:timers/promises";
import { workflow } from "@braid/engine";

/** A request to a language model: what has to be known before the call is found out at the same time. */
export default workflow("request-flow")
  .step("receive_request", { dependsOn: [] }, () => ({ prompt: "Say hello.", user: "ada" }))
  .step("select_model", { dependsOn: ["receive_request"] }, async ({ deps, signal }) => {
    await delay(300, undefined, { signal });
    return { model: deps.receive_request.prompt.length > 100 ? "large" : "small" };
  })
  .step("validate_request", { dependsOn: ["receive_request"] }, async ({ deps, signal }) => {
    await delay(300, undefined, { signal });
    return { valid: deps.receive_request.prompt !== "" };
  })
  .step("check_quota", { dependsOn: ["receive_request"] }, async ({ deps, signal }) => {
    await delay(300, undefined, { signal });
    return { user: deps.receive_request.user, requestsLeft: 41 };
  })
  .step("call_llm", { dependsOn: ["select_model", "validate_request", "check_quota"] }, async ({ deps, signal }) => {
    await delay(300, undefined, { signal });
    return { model: deps.select_model.model, answer: "Hello." };
  })
  .step("publish_result", { dependsOn: ["call_llm"] }, ({ deps }) => deps.call_llm)
  .output(({ deps }) => deps.publish_result);
