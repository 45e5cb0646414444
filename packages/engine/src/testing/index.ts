export { simulate } from "./simulate.ts";
export type { SimulationOptions, SimulationReport } from "./simulate.ts";
export type { FaultCounts, FaultRates } from "./simulated-world.ts";
export { ProcessClock, VirtualTime } from "./virtual-clock.ts";
export { SeededRandom } from "./seeded-random.ts";
export { checkTrace } from "./check-trace.ts";
export { Faults, withFaults } from "../store/faults.ts";
export type { CallFault, CommitFault, FaultOf, StoreCall } from "../store/faults.ts";
