import type { JsonObject, JsonValue } from "../json.ts";
import { isList, isObject, itemsOf, membersOf, readFields } from "./fields.ts";
import type { Field } from "./fields.ts";
import type { Definition } from "./model.ts";
import type { Reading } from "./reading.ts";
import { checkVariableName, isScalar, readAnyText, readObject, readText, reportExpected } from "./values.ts";

/** Environment variables: a name and a constant or template each. */
export function readEnvironment(reading: Reading, field: Field | undefined): JsonObject {
  const object = field && readObject(reading, field);
  if (object === undefined || field === undefined) return {};
  const variables: { [name: string]: JsonValue } = {};
  for (const [name, member] of membersOf(field, object)) {
    checkVariableName(reading, name, member.at);
    if (isScalar(member.value)) variables[name] = member.value;
    else reportExpected(reading, member, { what: "a text, a number, `true` or `false`" });
  }
  return variables;
}

type Secrets = Definition["secrets"];

/** Where secrets are read: a list of variable names, or `{NAME: {env: …}}` and `{NAME: {file: …}}`. */
export function readSecrets(reading: Reading, field: Field | undefined): Secrets {
  if (field === undefined) return {};
  const { value } = field;
  if (isList(value)) return readSecretNames(reading, itemsOf(field, value));
  if (!isObject(value)) {
    return (
      reportExpected(reading, field, {
        what: "a list of names or a mapping",
        hint: "For instance `secrets: [API_TOKEN]`.",
      }) ?? {}
    );
  }
  const secrets: { [name: string]: Secrets[string] } = {};
  for (const [name, member] of membersOf(field, value)) {
    checkVariableName(reading, name, member.at);
    const source = member.value === null ? { env: name } : readSecretSource(reading, member);
    if (source !== undefined) secrets[name] = source;
  }
  return secrets;
}

function readSecretNames(reading: Reading, items: readonly Field[]): Secrets {
  const secrets: { [name: string]: Secrets[string] } = {};
  for (const item of items) {
    const name = readText(reading, item);
    if (name === undefined) continue;
    checkVariableName(reading, name, item.at);
    secrets[name] = { env: name };
  }
  return secrets;
}

function readSecretSource(reading: Reading, field: Field): Secrets[string] | undefined {
  const fields = readFields(reading, field, "secret");
  if (fields === undefined) return undefined;
  const env = fields.get("env");
  const file = fields.get("file");
  if ((env === undefined) === (file === undefined)) {
    const message = `${field.label} must say either \`env\` or \`file\`.`;
    const hint = "A secret is read from a variable or a file of the worker; its value is never written here.";
    reading.error({ code: env === undefined ? "missing_value" : "conflicting_keys", message, hint, path: field.at });
    return undefined;
  }
  if (file !== undefined) {
    const path = readText(reading, file);
    return path === undefined ? undefined : { file: path };
  }
  const name = env && readText(reading, env);
  if (env === undefined || name === undefined) return undefined;
  checkVariableName(reading, name, env.at);
  return { env: name };
}

/** What an open mapping holds for a command: flags, and lists of them. */
export function readParams(reading: Reading, field: Field | undefined): JsonObject {
  const object = field && readObject(reading, field);
  if (object === undefined || field === undefined) return {};
  for (const [, member] of membersOf(field, object)) {
    const { value } = member;
    const isFlag = value === null || isScalar(value) || (isList(value) && value.every(isScalar));
    if (isFlag) continue;
    const hint = "A parameter becomes a flag of the command.";
    reportExpected(reading, member, { what: "a text, a number, `true`, `false` or a list of these", hint });
  }
  return object;
}

/** The command to run: a line that is split into words (or, after `!`, handed to a shell), or a list of words. */
export function readCommand(reading: Reading, field: Field): string | readonly string[] | undefined {
  if (!isList(field.value)) return readText(reading, field);
  const words = itemsOf(field, field.value).map((item) => readAnyText(reading, item));
  if (words.length > 0 && words[0] !== "") return words.filter((word) => word !== undefined);
  return reportExpected(reading, field, { what: "a command and its arguments" });
}
