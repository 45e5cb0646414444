import { formatDiagnostic } from "@braid/core";
import type { Diagnostic } from "@braid/core";
import type { OutputStream } from "../io.ts";
import { countOf } from "../terminal/format.ts";
import { oneLine } from "../terminal/sanitize.ts";
import { paint } from "../terminal/style.ts";
import type { Style } from "../terminal/style.ts";
import type { LoadedWorkflow } from "./workflow-file.ts";

export function hasErrors({ plan, diagnostics }: Pick<LoadedWorkflow, "plan" | "diagnostics">): boolean {
  return plan === null || diagnostics.some((diagnostic) => diagnostic.severity === "error");
}

/** Writes every problem with its place and the line it is about, and how many there are. */
export function reportDiagnostics(output: OutputStream, workflow: LoadedWorkflow, style: Style): void {
  const { diagnostics, file, text } = workflow;
  for (const diagnostic of diagnostics) {
    const { severity } = diagnostic;
    const formatted = formatDiagnostic(diagnostic, { file, ...(text === null ? {} : { text }) });
    const word = paint(style, severity === "error" ? "red" : "yellow", severity);
    output.write(`${formatted.replace(severity, word)}\n`);
  }
  if (diagnostics.length > 0) output.write(`${oneLine(file)}: ${countDiagnostics(diagnostics)}\n`);
}

function countDiagnostics(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
  const warnings = diagnostics.length - errors;
  const parts = [
    ...(errors > 0 ? [countOf(errors, "error")] : []),
    ...(warnings > 0 ? [countOf(warnings, "warning")] : []),
  ];
  return parts.join(", ");
}
