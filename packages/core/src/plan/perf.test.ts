import { test } from "vitest";
import { compile } from "./compile.ts";
import { define } from "./testing/plans.ts";
import type { Definition, StepDefinition } from "../definition/model.ts";
const base = define([{id:"x",run:"true"}]);
const step = (i:number, deps: number[]|undefined, more={}) : StepDefinition => ({ id:`s${i}`, name:`s${i}`, action:{kind:"run", run:"true"}, env:{}, at:`/steps/${i}`, ...(deps?{dependsOn:deps.map((d,k)=>({ref:`s${d}`, on:"success" as const, at:`/steps/${i}/dependsOn/${k}`}))}:{}), ...more});
const time = (name:string, steps: StepDefinition[]) => { const d: Definition = {...base, steps}; const t=performance.now(); const c=compile(d); console.log(name, Math.round(performance.now()-t)+"ms", c.diagnostics.length, c.diagnostics[0]?.message.slice(0,200), c.plan?.edges.length); };
test("perf", () => {
  let seed=1; const rnd=()=>{seed=(seed*1103515245+12345)&0x7fffffff; return seed/0x7fffffff;};
  for (let k=0;k<2;k++) {
  time("random 10k/50k", Array.from({length:10000},(_,i)=>step(i, i===0?[]:[...new Set(Array.from({length:5},()=>Math.floor(rnd()*i)))])));
  time("chain 10k seq", Array.from({length:10000},(_,i)=>step(i, undefined)));
  time("chain 10k seq w refs 5 back", Array.from({length:10000},(_,i)=>step(i, undefined, {env: i>5?{X:`\${{ steps.s${i-5}.output }}`}:{}})));
  time("chain 10k dep w refs 5 back", Array.from({length:10000},(_,i)=>step(i, i?[i-1]:[], {env: i>5?{X:`\${{ steps.s${i-5}.output }}`}:{}})));
  time("random 10k w random refs", Array.from({length:10000},(_,i)=>step(i, i===0?[]:[...new Set(Array.from({length:5},()=>Math.floor(rnd()*i)))], {env: i>5?{X:`\${{ steps.s${Math.floor(rnd()*i)}.output }}`}:{}})));
  time("diamonds 30 layers x 20", Array.from({length:600},(_,i)=>step(i, i<20?[]:Array.from({length:20},(_,k)=>(Math.floor(i/20)-1)*20+k))));
  time("cycle chain 10k", Array.from({length:10000},(_,i)=>step(i, [(i+9999)%10000])));
  time("missing 10k", Array.from({length:10000},(_,i)=>step(i, [i+20000])));
  time("100k refs all infer", Array.from({length:100000},(_,i)=>step(i, [], {env: i?{X:`\${{ steps.s${Math.floor(rnd()*i)}.output }}`}:{}})));
  time("100k random dep + refs", Array.from({length:100000},(_,i)=>step(i, i===0?[]:[...new Set(Array.from({length:9},()=>Math.floor(rnd()*i)))], {env: i?{X:`\${{ steps.s${Math.floor(rnd()*i)}.output }}`}:{}})));
  time("fan-out 10k", Array.from({length:10002},(_,i)=>step(i, i===0?[]:i<=10000?[0]:Array.from({length:10000},(_,k)=>k+1))));
  }
}, 100000);
