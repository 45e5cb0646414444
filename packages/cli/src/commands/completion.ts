import type { Command, Option } from "commander";
import type { CommandContext } from "../command-context.ts";
import { exitCode } from "../exit-code.ts";

export type Shell = "bash" | "zsh" | "fish";

/** A command as completion sees it. The scripts are made from the same tree that reads the command line, so they never lag behind. */
interface CommandNode {
  /** Words after `braid`: `runs show`. */
  readonly path: string;
  readonly description: string;
  readonly commands: readonly CommandNode[];
  readonly options: readonly OptionNode[];
  readonly takesFiles: boolean;
}

interface OptionNode {
  readonly flags: readonly string[];
  readonly description: string;
  readonly choices: readonly string[];
  readonly takesValue: boolean;
  readonly takesFile: boolean;
}

/** Prints a completion script. */
export function completion({ io }: CommandContext, program: Command, shell: Shell): Promise<number> {
  const root = nodeOf(program, []);
  const scripts: Readonly<Record<Shell, (root: CommandNode) => string>> = {
    bash: bashScript,
    zsh: zshScript,
    fish: fishScript,
  };
  io.stdout.write(scripts[shell](root));
  return Promise.resolve(exitCode.ok);
}

function nodeOf(command: Command, path: readonly string[]): CommandNode {
  return {
    path: path.join(" "),
    description: command.summary() || command.description(),
    commands: command.commands.map((child) => nodeOf(child, [...path, child.name()])),
    options: command.options.filter((option) => !option.hidden).map(optionOf),
    takesFiles: command.registeredArguments.some((argument) => argument.name().startsWith("file")),
  };
}

function optionOf(option: Option): OptionNode {
  return {
    flags: [option.short, option.long].filter((flag) => flag !== undefined && flag !== null),
    description: option.description,
    choices: option.argChoices ?? [],
    takesValue: option.required || option.optional,
    takesFile: option.flags.includes("<file>"),
  };
}

function allNodes(root: CommandNode): readonly CommandNode[] {
  return [root, ...root.commands.flatMap(allNodes)];
}

function flagsOf(root: CommandNode, node: CommandNode): readonly string[] {
  const own = node.options.flatMap((option) => option.flags);
  const inherited = node === root ? [] : root.options.flatMap((option) => option.flags);
  return [...new Set([...own, ...inherited, "--help"])];
}

function bashScript(root: CommandNode): string {
  const nodes = allNodes(root);
  const words = nodes.map((node) => {
    const names = node.commands.map((child) => child.path.split(" ").at(-1));
    return `    ${quote(node.path)}) words=${quote([...names, ...flagsOf(root, node)].join(" "))}; files=${node.takesFiles ? "1" : ""} ;;`;
  });
  const choices = optionCases(
    nodes,
    (flag, option) =>
      `    ${flag}) COMPREPLY=($(compgen -W ${quote(option.choices.join(" "))} -- "$current")); return ;;`,
    (option) => option.choices.length > 0,
  );
  const files = optionCases(
    nodes,
    (flag) => `    ${flag}) COMPREPLY=($(compgen -f -- "$current")); compopt -o filenames 2>/dev/null; return ;;`,
    (option) => option.takesFile,
  );
  const values = optionCases(
    nodes,
    (flag) => `    ${flag}) return ;;`,
    (option) => option.takesValue && !option.takesFile && option.choices.length === 0,
  );
  const paths = nodes.map((node) => quote(node.path)).join("|");
  return `# Completion of braid for bash.
_braid() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" files="" index
  case "$previous" in
${[...choices, ...files, ...values].join("\n")}
  esac
  for ((index = 1; index < COMP_CWORD; index++)); do
    case "\${path:+$path }\${COMP_WORDS[index]}" in
      ${paths}) path="\${path:+$path }\${COMP_WORDS[index]}" ;;
    esac
  done
  case "$path" in
${words.join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ -n "$files" && "$current" != -* ]]; then
    COMPREPLY+=($(compgen -f -- "$current"))
    compopt -o filenames 2>/dev/null
  fi
}
complete -F _braid braid
`;
}

/** One case per option flag, each flag once. */
function optionCases(
  nodes: readonly CommandNode[],
  write: (flag: string, option: OptionNode) => string,
  isWanted: (option: OptionNode) => boolean,
): readonly string[] {
  const cases = new Map<string, string>();
  for (const option of nodes.flatMap((node) => node.options)) {
    if (!isWanted(option)) continue;
    for (const flag of option.flags) if (!cases.has(flag)) cases.set(flag, write(flag, option));
  }
  return [...cases.values()];
}

function zshScript(root: CommandNode): string {
  const cases = allNodes(root).map((node) => {
    const commands = node.commands.map((child) => quote(`${child.path.split(" ").at(-1)}:${brief(child.description)}`));
    const own = node === root ? node.options : [...node.options, ...root.options];
    const specs = own.map((option) => quote(zshOption(option)));
    const help = quote("--help[show help]");
    const files = node.takesFiles ? ` '*:file:_files'` : "";
    const lines = [
      `    ${quote(node.path)})`,
      ...(commands.length === 0 ? [] : [`      commands=(${commands.join(" ")})`, `      _describe command commands`]),
      `      _arguments ${[...specs, help].join(" ")}${files}`,
      "      ;;",
    ];
    return lines.join("\n");
  });
  const paths = allNodes(root)
    .map((node) => quote(node.path))
    .join("|");
  return `#compdef braid
# Completion of braid for zsh.
_braid() {
  local -a commands
  local where="" index
  for ((index = 2; index < CURRENT; index++)); do
    case "\${where:+$where }\${words[index]}" in
      ${paths}) where="\${where:+$where }\${words[index]}" ;;
    esac
  done
  case "$where" in
${cases.join("\n")}
  esac
}
compdef _braid braid
`;
}

function zshOption(option: OptionNode): string {
  const flag = option.flags.at(-1) ?? "";
  const description = brief(option.description).replaceAll("[", "(").replaceAll("]", ")").replaceAll(":", "\\:");
  if (!option.takesValue) return `${flag}[${description}]`;
  const values = option.takesFile ? "_files" : option.choices.length > 0 ? `(${option.choices.join(" ")})` : " ";
  return `${flag}=[${description}]:value:${values}`;
}

function fishScript(root: CommandNode): string {
  const lines = ["# Completion of braid for fish.", "complete -c braid -f"];
  for (const node of allNodes(root)) {
    const condition = fishCondition(node);
    for (const child of node.commands) {
      lines.push(
        `complete -c braid -n ${quote(condition)} -a ${quote(child.path.split(" ").at(-1) ?? "")} -d ${quote(brief(child.description))}`,
      );
    }
    if (node.takesFiles) lines.push(`complete -c braid -n ${quote(condition)} -F`);
    for (const option of node.options) lines.push(fishOption(node === root ? "" : condition, option));
  }
  return `${lines.join("\n")}\n`;
}

/** True where the words so far name this command and none of its children. */
function fishCondition(node: CommandNode): string {
  const names = node.path === "" ? [] : node.path.split(" ");
  const children = node.commands.map((child) => child.path.split(" ").at(-1)).join(" ");
  const seen = names.map((name) => `__fish_seen_subcommand_from ${name}`);
  const notYet = children === "" ? [] : [`not __fish_seen_subcommand_from ${children}`];
  return [...seen, ...notYet].join("; and ") || "true";
}

function fishOption(condition: string, option: OptionNode): string {
  const flags = option.flags.map((flag) => (flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
  const where = condition === "" ? [] : [`-n ${quote(condition)}`];
  const choices = option.choices.length === 0 ? [] : [`-a ${quote(option.choices.join(" "))}`];
  const value = option.takesFile ? ["-r -F"] : option.takesValue ? ["-x"] : [];
  return ["complete -c braid", ...where, ...flags, ...value, ...choices, `-d ${quote(brief(option.description))}`].join(
    " ",
  );
}

/** The first clause of a description: there is little room beside a word. */
function brief(description: string): string {
  return (description.split(/[;(.]/)[0] ?? "").trim();
}

/** The text as one word of the shell, without any expansion. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
