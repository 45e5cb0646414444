import { BlockList, isIP } from "node:net";

/**
 * Says why a connection to an address must not be made, or undefined when it may. Asked with the address that was really
 * resolved, right before the connection, for the first request and for every redirect.
 */
export type AddressCheck = (address: string, host: string) => string | undefined;

/** Everything that is not the public internet: loopback, private, link-local, shared, documentation, multicast, reserved. */
const privateV4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/4",
  "240.0.0.0/4",
];

/** What is left of IPv6 is 2000::/3; inside it, forms that carry an IPv4 address somewhere else are refused as a whole. */
const publicV6 = "2000::/3";
const specialV6 = ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"];

const refused = new BlockList();
const unicast = new BlockList();
for (const range of privateV4) refused.addSubnet(...parseRange(range), "ipv4");
for (const range of specialV6) refused.addSubnet(...parseRange(range), "ipv6");
unicast.addSubnet(...parseRange(publicV6), "ipv6");

function parseRange(range: string): [string, number] {
  const [network = "", bits] = range.split("/");
  return [network, Number(bits)];
}

/**
 * Whether an address is outside the public internet. An IPv4 address inside IPv6 (`::ffff:169.254.169.254`) is judged as
 * what it is; what is no address at all counts as private.
 */
export function isPrivateAddress(address: string): boolean {
  const bare = address.replace(/%.*$/, "");
  const family = isIP(bare);
  if (family === 4) return refused.check(bare, "ipv4");
  if (family === 0) return true;
  const mapped = mappedV4(bare);
  if (mapped !== undefined) return refused.check(mapped, "ipv4");
  return !unicast.check(bare, "ipv6") || refused.check(bare, "ipv6");
}

/** The IPv4 address inside `::ffff:0:0/96`, in either spelling. The parser of URLs gives every address its one short form. */
function mappedV4(address: string): string | undefined {
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (match === null) return undefined;
  const [high, low] = [match[1], match[2]].map((part) => Number.parseInt(part ?? "", 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join(".");
}

/** The check for whoever runs other people's workflows: only the public internet may be reached. */
export const denyPrivateNetworks: AddressCheck = (address) =>
  isPrivateAddress(address)
    ? `The address ${address} is not on the public internet, and this worker allows no other.`
    : undefined;
