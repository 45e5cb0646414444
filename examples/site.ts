import { workflow } from "@braid/engine";

export default workflow("site")
  .step("install", () => ({ cache: "warm", regions: ["eu", "us", "ap"] }))
  .step("test", { dependsOn: ["install"], retry: { maxAttempts: 3, delay: "1s" } }, ({ deps }) => {
    return `tested with a ${deps.install.cache} cache`;
  })
  .step("lint", { dependsOn: ["install"] }, () => ({ problems: 0 }))
  .map(
    "publish",
    { dependsOn: ["test", "install"], forEach: { items: ({ deps }) => deps.install.regions, maxConcurrent: 2 } },
    ({ item }) => `published in ${item}`,
  )
  .output(({ deps }) => deps.publish);
