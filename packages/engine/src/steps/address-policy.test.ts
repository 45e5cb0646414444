import { expect, test } from "vitest";
import { denyPrivateNetworks, isPrivateAddress } from "./address-policy.ts";

test.each([
  "0.0.0.0",
  "10.1.2.3",
  "100.64.0.1",
  "127.0.0.1",
  "127.255.255.255",
  "169.254.169.254",
  "172.31.255.255",
  "192.168.1.1",
  "198.18.0.1",
  "224.0.0.1",
  "255.255.255.255",
  "::",
  "::1",
  "::ffff:169.254.169.254",
  "::ffff:a9fe:a9fe",
  "0:0:0:0:0:ffff:7f00:1",
  "::7f00:1",
  "64:ff9b::a9fe:a9fe",
  "2002:7f00:1::",
  "2001::1",
  "2001:db8::1",
  "fc00::1",
  "fd12::1",
  "fe80::1",
  "fe80::1%eth0",
  "ff02::1",
  "not an address",
  "",
])("keeps %s out of reach", (address) => {
  expect(isPrivateAddress(address)).toBe(true);
  expect(denyPrivateNetworks(address, "host")).toContain("not on the public internet");
});

test.each([
  "1.1.1.1",
  "172.32.0.1",
  "192.167.255.255",
  "11.0.0.1",
  "::ffff:8.8.8.8",
  "2606:4700::1111",
  "2a00:1450::1",
])("lets %s be reached", (address) => {
  expect(isPrivateAddress(address)).toBe(false);
  expect(denyPrivateNetworks(address, "host")).toBeUndefined();
});
