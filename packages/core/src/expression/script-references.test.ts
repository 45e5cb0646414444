import { expect, test } from "vitest";
import { scriptReferences } from "./script-references.ts";

const one = "${BRAID_EXPR_1}";
const two = "${BRAID_EXPR_2}";

/** Where an expression may stand, and what the shell is given there. `@` stands for an expression. */
const places: readonly (readonly [before: string, after: string])[] = [
  ["echo @", `echo "${one}"`],
  ["echo a@b", `echo a"${one}"b`],
  ['echo "a @ b"', `echo "a ${one} b"`],
  ["echo 'a'@'b'", `echo 'a'"${one}"'b'`],
  ["x=@", `x="${one}"`],
  ["x=@ y=1 cmd", `x="${one}" y=1 cmd`],
  ["export X=@", `export X="${one}"`],
  ['export "X=@"', `export "X=${one}"`],
  ["local x=@", `local x="${one}"`],
  ["echo $(cat @)", `echo $(cat "${one}")`],
  ['echo "$(cat @)"', `echo "$(cat "${one}")"`],
  ['echo "$(cat "@")"', `echo "$(cat "${one}")"`],
  ["echo `cat @`", `echo \`cat "${one}"\``],
  ['echo "`cat @`"', `echo "\`cat "${one}"\`"`],
  ["echo ${x:-@}", `echo \${x:-"${one}"}`],
  ['echo "${x:-@}"', `echo "\${x:-${one}}"`],
  ['echo "${x:-"@"}"', `echo "\${x:-"${one}"}"`],
  ["echo ${x:+'a'@}", `echo \${x:+'a'"${one}"}`],
  ['echo "${x:-it\'s @}"', `echo "\${x:-it's ${one}}"`],
  ["cat <<EOF\na @ b\nEOF\necho done", `cat <<EOF\na ${one} b\nEOF\necho done`],
  ["cat <<-EOF\n\t'@'\n\tEOF\necho 'x'", `cat <<-EOF\n\t'${one}'\n\tEOF\necho 'x'`],
  ["cat <<EOF\n$(echo @)\nEOF", `cat <<EOF\n$(echo "${one}")\nEOF`],
  ["cat <<A <<'B'\n@\nA\nx\nB\necho 'y'", `cat <<A <<'B'\n${one}\nA\nx\nB\necho 'y'`],
  ["x=$(cat <<EOF\n@ ' \" \nEOF\n)\necho '$'", `x=$(cat <<EOF\n${one} ' " \nEOF\n)\necho '$'`],
  ["cat <<EOF\na \\\nEOF\n@\nEOF", `cat <<EOF\na \\\nEOF\n${one}\nEOF`],
  ["cat <<< @", `cat <<< "${one}"`],
  ['cat <<<"@"', `cat <<<"${one}"`],
  ["cat < @ > @", `cat < "${one}" > "${one}"`],
  ["cat > @ 2>&1", `cat > "${one}" 2>&1`],
  ["cat &> @", `cat &> "${one}"`],
  ["cat <(echo @)", `cat <(echo "${one}")`],
  ["case @ in a) echo 'x';; esac", `case "${one}" in a) echo 'x';; esac`],
  ["case $x in @) echo '1';; (b|c) echo @;; esac", `case $x in "${one}") echo '1';; (b|c) echo "${one}";; esac`],
  [
    "echo \"$(case x in a) echo @;; *) echo b; esac)\" '$'",
    `echo "$(case x in a) echo "${one}";; *) echo b; esac)" '$'`,
  ],
  ["[[ @ == x && $a == @ ]]", `[[ "${one}" == x && $a == "${one}" ]]`],
  ["[ @ -eq 1 ]", `[ "${one}" -eq 1 ]`],
  ["for x in @ b; do echo; done", `for x in "${one}" b; do echo; done`],
  ["a=(@ b)", `a=("${one}" b)`],
  ["if true; then echo @; fi", `if true; then echo "${one}"; fi`],
  ["f() { echo @; }", `f() { echo "${one}"; }`],
  ["echo `cat @ # it's`", `echo \`cat "${one}" # it's\``],
  ["case x in # it's\n\n x) echo @;; esac", `case x in # it's\n\n x) echo "${one}";; esac`],
  ["case x\nin x) echo @;& y) ;;& esac", `case x\nin x) echo "${one}";& y) ;;& esac`],
  ["echo a#@", `echo a#"${one}"`],
  ["echo $#@", `echo $#"${one}"`],
  ["echo $x@", `echo $x"${one}"`],
  ["echo \\\\@", `echo \\\\"${one}"`],
  ["echo \\'@", `echo \\'"${one}"`],
  ['echo "\\"@"', `echo "\\"${one}"`],
  ["echo \\\n @", `echo \\\n "${one}"`],
  ["(( x = 1 )); echo @", `(( x = 1 )); echo "${one}"`],
  ["x=$((1 + (2 * 3))); echo @", `x=$((1 + (2 * 3))); echo "${one}"`],
  ["echo {a,@}", `echo {a,"${one}"}`],
  ["bash -c 'echo \"$1\"' _ @", `bash -c 'echo "$1"' _ "${one}"`],
  ['bash -c "$script" _ @', `bash -c "$script" _ "${one}"`],
  ['"$tool" @', `"$tool" "${one}"`],
  ['echo "${x:=@}"', `echo "\${x:=${one}}"`],
  ["bash -euo pipefail script.sh @", `bash -euo pipefail script.sh "${one}"`],
  ["ssh -p 22 -- @ uptime", `ssh -p 22 -- "${one}" uptime`],
  ["bash -- @ @", `bash -- "${one}" "${one}"`],
  ["bash @ fixed", `bash "${one}" fixed`],
  ["printf -- @", `printf -- "${one}"`],
  ["[ @ = @ ]", `[ "${one}" = "${one}" ]`],
  ["[ ! @ = x -a -n @ ]", `[ ! "${one}" = x -a -n "${one}" ]`],
  ["echo @ | bash script.sh", `echo "${one}" | bash script.sh`],
  ["echo @ | python3 -m json.tool", `echo "${one}" | python3 -m json.tool`],
  ["echo @ | jq .", `echo "${one}" | jq .`],
  ["echo @ | grep bash", `echo "${one}" | grep bash`],
  ["echo @; bash <<'EOF'\nls\nEOF", `echo "${one}"; bash <<'EOF'\nls\nEOF`],
  ["awk -v x=@ '{print x}' f", `awk -v x="${one}" '{print x}' f`],
  ["read -p @ answer", `read -p "${one}" answer`],
  ["trap 'rm x' EXIT; echo @", `trap 'rm x' EXIT; echo "${one}"`],
  ["printf '%s\\n' @", `printf '%s\\n' "${one}"`],
  ["docker run --rm @ sh -c 'echo hi'", `docker run --rm "${one}" sh -c 'echo hi'`],
  ["x=$y; declare x=@", `x=$y; declare x="${one}"`],
  ["declare -a list=(a b); declare x=@", `declare -a list=(a b); declare x="${one}"`],
];

test.each(places)("%j", (before, after) => {
  const { script, problems, env } = scriptReferences(before.replaceAll("@", "${{ inputs.x }}"));
  expect(problems).toEqual([]);
  expect(script).toBe(after);
  expect(Object.keys(env)).toEqual(["BRAID_EXPR_1"]);
});

/** Where an expression must not stand, and a part of the hint or the message. */
const refusals: readonly (readonly [script: string, part: string])[] = [
  ["echo '@'", "double quotes"],
  ["awk '{print \"@\"}'", "double quotes"],
  ["echo $'a @'", "double quotes"],
  ["echo ${x:+'@'}", "double quotes"],
  ["echo ${x#'@'}", "single quotes"],
  ["echo $(echo '@')", "double quotes"],
  ["cat <<'EOF'\n@\nEOF", "delimiter is quoted"],
  ["cat <<\\EOF\n@\nEOF", "delimiter is quoted"],
  ["cat <<'E F'\n@\nE F", "delimiter is quoted"],
  ["cat <<''\n@\n\necho", "delimiter is quoted"],
  ['cat <<"E"OF\n@\nEOF', "delimiter is quoted"],
  ["cat <<@\nx", "delimiter"],
  ['cat <<"@"\nx', "would not read"],
  ["echo \\@", "backslash"],
  ['echo "\\@"', "backslash"],
  ["cat <<EOF\n\\@\nEOF", "backslash"],
  ["echo $@", "`$`"],
  ['echo "$@"', "`$`"],
  ["echo $$$@", "`$`"],
  ["echo $((@))", "computes"],
  ['echo "$((1 + @))"', "computes"],
  ["echo $(( $(echo @) + 1 ))", "computes"],
  ["(( @ > 1 ))", "computes"],
  ["if (( x > @ )); then :; fi", "computes"],
  ["for ((i = 0; i < @; i++)); do :; done", "computes"],
  ["echo $[@]", "computes"],
  ["[[ @ -gt 3 ]]", "computes"],
  ["[[ 3 -lt @ ]]", "computes"],
  ["[[ a == b && ( 3 -eq @ ) ]]", "computes"],
  ["echo ${x:@}", "computes"],
  ["echo ${x:0:@}", "computes"],
  ["echo ${list[@]}".replace("@", "${{ inputs.x }}"), "computes"],
  ["list[@]=1", "computes"],
  ['list["@"]+=1', "computes"],
  ["list=([@]=1)", "computes"],
  ["echo ${@}", "may only stand after"],
  ["echo ${x#@}", "may only stand after"],
  ["echo ${x/a/@}", "may only stand after"],
  ["echo ${!@}", "may only stand after"],
  ['echo `echo \\"@\\"`', "backquotes"],
  ['echo "`echo \\`echo @\\``"', "backquotes"],
  ["eval @", "as code"],
  ["mapfile -C @ lines", "name a variable"],
  ["function f { eval @; }", "as code"],
  ["function f() { eval @; }", "as code"],
  ["f () { eval @; }", "as code"],
  ['eval "echo @"', "as code"],
  ['eval "$(echo @)"', "as code"],
  ["builtin eval @", "as code"],
  ["if true; then eval @; fi", "as code"],
  ["f() { eval @; }", "as code"],
  ["x=1 eval @", "as code"],
  ["x= y=2 bash -c @", "as an argument"],
  ["$SUDO bash -c @", "as an argument"],
  ["${SUDO:-} bash -c @", "as an argument"],
  ["$PREFIX eval @", "as code"],
  ['"$HOME/bin/bash" -c @', "as an argument"],
  ["\\\n((@))", "computes"],
  ["ev\\\nal @", "as code"],
  ["$(echo @)", "as code"],
  ["$x `echo @` y", "as code"],
  ["bash -c $x @", "as an argument"],
  ["bash $x @", "as an argument"],
  ["bash $x <<< @", "bash -s"],
  ["bash <<< @ \\", "bash -s"],
  ["echo ${x:=@}", "double quotes"],
  ["echo ${x=a$(echo @)}", "double quotes"],
  ["true && ! eval @", "as code"],
  ["let x=@", "as code"],
  ['trap "rm @" EXIT', "as code"],
  ["PS4=@", "as code"],
  ["export BASH_ENV=@", "as code"],
  ["bash -c @", "as an argument"],
  ['sh -c "echo @"', "as an argument"],
  ['/bin/sh -ec "echo @"', "as an argument"],
  ['bash -o pipefail -c "echo @" x', "as an argument"],
  ['sudo -u root bash -c "echo @"', "as an argument"],
  ['docker exec -it c sh -c "echo @"', "as an argument"],
  ['find . -exec sh -c "echo @" \\;', "as an argument"],
  ['xargs -n1 bash -c "echo @"', "as an argument"],
  ['su - app -c "run @"', "as an argument"],
  ['bash -c "$(echo @)"', "as an argument"],
  ["bash <(echo @)", "as an argument"],
  ["source <(echo @)", "as an argument"],
  [". <(echo @)", "as an argument"],
  ["watch echo @", "as an argument"],
  ['ssh host "systemctl restart @"', "other machine"],
  ["ssh -o BatchMode=yes -p 22 host rm @", "other machine"],
  ["bash <<EOF\necho @\nEOF", "bash -s"],
  ["bash -s x <<EOF\necho @\nEOF", "bash -s"],
  ["bash -eo pipefail <<EOF\necho @\nEOF", "bash -s"],
  ["sudo bash 2>/dev/null <<EOF\necho @\nEOF", "bash -s"],
  ["ssh host <<EOF\necho @\nEOF", "bash -s"],
  ["ssh host bash -s <<EOF\necho @\nEOF", "bash -s"],
  ["docker exec -i c bash <<EOF\necho @\nEOF", "bash -s"],
  ["echo >& @", "twice"],
  ["echo 2>&@", "twice"],
  ["<f [[ >&@", "twice"],
  ["cat <&@", "twice"],
  ["echo >& $(echo @)", "twice"],
  ["bash <<< @", "bash -s"],
  ["bash @ <<EOF\n@\nEOF", "bash -s"],
  ["bash @ @", "`--` before it"],
  ["ssh @ uptime", "`--` before it"],
  ["printf @ x", "`--` before it"],
  ["printf $x @ y", "`--` before it"],
  ["mapfile @ < f", "`--` before it"],
  ["wait @", "`--` before it"],
  ["command @ @", "as code"],
  ["$x @ a$(echo b)@", "as code"],
  ["printf ${x:-@} x", "`--` before it"],
  ['printf "$(echo @)" x', "`--` before it"],
  ["[ @ @ ]", "`--` before it"],
  ["bash -c bash <<< @", "bash -s"],
  ["eval 'exec sh' <<< @", "bash -s"],
  ['bash <<< "echo @"', "bash -s"],
  ["source /dev/stdin <<< @", "bash -s"],
  ["echo @ | bash", "bash -s"],
  ["echo @ | tee x | sudo sh -x", "bash -s"],
  ["echo @ |\n  bash", "bash -s"],
  ["cat <<EOF | bash\necho @\nEOF", "bash -s"],
  ["{ echo a; echo @; } | bash", "bash -s"],
  ["(echo @) | bash", "bash -s"],
  ["for x in 1; do echo @; done | bash", "bash -s"],
  ["if a; then echo @; fi | bash", "bash -s"],
  ["case x in x) echo @;; esac | bash", "bash -s"],
  ["echo $(echo @ | bash)", "bash -s"],
  ["echo @ | xargs -I{} sh -c 'echo {}'", "bash -s"],
  ["echo @ | parallel", "bash -s"],
  ["declare @", "name a variable"],
  ["declare @=1", "name a variable"],
  ["export @", "name a variable"],
  ["local $x@=1", "name a variable"],
  ["unset @", "name a variable"],
  ["read @", "name a variable"],
  ["printf -v @ x", "name a variable"],
  ["printf -v $x @", "name a variable"],
  ["$1eval @", "as code"],
  ["\\[[ x >&@", "twice"],
  ["test -v @", "name a variable"],
  ["[ -v @ ]", "name a variable"],
  ["[[ -v @ ]]", "name a variable"],
  ["declare -i n=@", "array, a number"],
  ["local -a x=@", "array, a number"],
  ["declare -n ref=@", "array, a number"],
  ["declare -i n; n=@", "array, a number"],
  ["list=(); declare list=@", "array, a number"],
];

test.each(refusals)("refuses %j", (script, part) => {
  const text = script.replaceAll("@", "${{ inputs.x }}");
  const { problems } = scriptReferences(text);
  expect(problems).toMatchObject([{ code: "unsafe_expression", severity: "error" }]);
  expect(`${problems[0]?.message} ${problems[0]?.hint}`).toContain(part);
  expect(text.startsWith("${{ inputs.x }}", problems[0]?.offset)).toBe(true);
});

const warnings: readonly string[] = [
  "@",
  "@ --version",
  "if @; then :; fi",
  'python3 -c "print(@)"',
  'python3.12 -c "print(@)"',
  'node --eval="@"',
  'psql -c "select @"',
  'sqlite3 db "select @"',
  'sed "s/a/@/" file',
  'sed -i -e "s/a/@/" file',
  'awk "{print @}" file',
  "python3 <<EOF\nprint(@)\nEOF",
  "psql db <<EOF\nselect @;\nEOF",
  "echo @ | python3",
  "echo @ | psql db",
];

test.each(warnings)("warns of %j", (script) => {
  const { problems } = scriptReferences(script.replaceAll("@", "${{ inputs.x }}"));
  expect(problems).toMatchObject([{ code: "unsafe_expression", severity: "warning" }]);
});

test("leaves expressions in comments as they are", () => {
  const text = "# ${{ inputs.a }} it's ${{ unclosed\necho ${{ inputs.x }} # '${{ nonsense + }}\necho 'a'";
  const { script, problems, references } = scriptReferences(text);
  expect(problems).toEqual([]);
  expect(script).toBe(text.replace("${{ inputs.x }}", `"${one}"`));
  expect(references).toHaveLength(1);
});

test("gives the same expression one variable and others their own, in the order of the text", () => {
  const { script, env } = scriptReferences('a ${{ inputs.x }} "${{ steps.b.output }}" ${{ inputs.x }}');
  expect(script).toBe(`a "${one}" "${two}" "${one}"`);
  expect(Object.entries(env).map(([name, template]) => [name, template.text])).toEqual([
    ["BRAID_EXPR_1", "${{ inputs.x }}"],
    ["BRAID_EXPR_2", "${{ steps.b.output }}"],
  ]);
});

test("gives references and problems their place in the script", () => {
  const text = "echo ok\necho ${{ steps.build.output }} ${{ foo.x }} '${{ inputs.y }}'";
  const { references, problems } = scriptReferences(text);
  expect(references.map(({ offset }) => text.slice(offset, offset + 5))).toEqual(["steps", "input"]);
  expect(problems.map(({ offset, code }) => [text.slice(offset, offset + 5), code])).toEqual([
    ["foo.x", "unknown_reference"],
    ["${{ i", "unsafe_expression"],
  ]);
});

test.each(["\\\nEOF", "E\\\nOF", "EOF\\\n"])(
  "refuses a here-document that shells end at different places: %j",
  (line) => {
    const { problems } = scriptReferences(`cat <<EOF\n${line}\nEOF\necho \${{ inputs.x }}`);
    expect(problems).toMatchObject([{ code: "unsafe_expression", message: expect.stringContaining("shells differ") }]);
  },
);

test.each([";", "|", "&"])("refuses a list with %s in it, behind which shells go on at different places", (sign) => {
  const { problems } = scriptReferences(`x=(a ${sign}\nshow \${{ inputs.x }}`);
  expect(problems[0]).toMatchObject({ code: "unsafe_expression", severity: "error", offset: 5 });
});

test("leaves a script without expressions alone", () => {
  const text = "echo ${HOME} $(( 1 + 1 )) '${'";
  expect(scriptReferences(text)).toEqual({ script: text, env: {}, references: [], problems: [] });
});

test("knows the names of its place", () => {
  expect(scriptReferences("echo ${{ region }}", { extraContexts: ["region"] }).problems).toEqual([]);
});

test("reports each unclosed expression once", () => {
  for (const text of ["echo ${{ inputs.x", "echo '${{ inputs.x'", "cat <<EOF\n${{ inputs.x\nEOF\necho }}"]) {
    expect(scriptReferences(text).problems).toMatchObject([{ code: "expression_syntax", offset: text.indexOf("${{") }]);
  }
});

test("refuses a script that is nested too deep to be read", () => {
  for (const open of ["$(", "${x:-", '"$(', "(", "`$(", "$((", "case x in a) "]) {
    const { problems } = scriptReferences(`echo ${open.repeat(20_000)} \${{ inputs.x }}`);
    expect(problems.some(({ severity }) => severity === "error")).toBe(true);
  }
});

test("reads a large script in time that grows with its length", () => {
  const line = "echo 'a' \"b $(cat ${x:-y})\" ${{ inputs.x }} # it's\n";
  const { problems, script } = scriptReferences(line.repeat(5_000));
  expect(problems).toEqual([]);
  expect(script).toBe(line.replace("${{ inputs.x }}", `"${one}"`).repeat(5_000));
});
