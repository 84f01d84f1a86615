/**
 * What the fleet's pages are built of. Look here before you draw something of your own.
 *
 * A page:      <PageHead title sub>buttons</PageHead>, <Panel title actions>…</Panel>, <Tabs tabs current onChange />
 * Lists:       <Table rows columns keyOf label …/> virtualised, keyboard, sort, selection with shift; its box must have a height
 *              (`class="fill"` takes what the page has left). <List> of facts: <Facts items={[[label, value], …]} />
 * Filters:     <FilterBar>, <SearchBox value onInput label />, <Select label value options onChange />, <Chips options chosen onToggle />
 * State:       <StatusMark status /> (colour + shape + word), <Tag tone>, <Mark tone> for your own states: tones bad, warn, ok, info, quiet
 * Time:        <Since at /> "từ 14:05", <Ago at /> "3 phút trước", <Moment at />, span(t, s) "2 giờ 5 phút"; all with the full time as title
 * Doing:       <Dialog>, <Confirm title verb onDo>what happens</Confirm> (waits, shows a refusal), <Menu label items />,
 *              toast(text, { undo }), useAct() for a button that asks the server
 * Forms:       <Field label hint error>control</Field> with class "input" on the control
 * Nothing yet: <Empty title>what to do</Empty>, <Problem error again />, <Skeleton rows />
 * Data:        useFleet().ask<T>("/incidents") (below /api/fleet, CSRF added), useLive(ask, keys, wants) refetches by the feed,
 *              useRows(), useRow(id), usePlaces(), useNow(); fleet.allows("command"), and each device's own `may`
 * Words:       useT() from ../i18n; your keys in i18n/vi-<part>.ts and en-<part>.ts; refusals as "refused.<code>"; a server's
 *              sentence in two languages by told(language, {vi, en})
 * Going:       <a href="/fleet/…"> anywhere; go(href), setQuery({district}) from ../router; useStore(place) is the address
 * Style:       tokens only (shared/tokens.css, fleet/fleet.css: --s-offline … per status, --bad --warn --ok --info --quiet);
 *              your page's own sheet is imported in its index.tsx and begins every rule with your page's class
 */
export { Dialog } from "../../shared/dialog";
export { useStore } from "../../shared/store";
export { FleetContext, useFleet, useLive, useNow, usePlaces, useRow, useRows, type Asked } from "../store/use";
export { Chips, FilterBar, SearchBox, Select, type Chip, type Option } from "./filter-bar";
export { Confirm, useAct } from "./confirm";
export { Empty, Problem, Skeleton } from "./nothing";
export { Field } from "./field";
export { Menu, type MenuItem } from "./menu";
export { Facts, PageHead, Panel } from "./page";
export { Mark, ofRank, RANK, STATUSES, StatusMark, StatusShape, Tag, worst, type Tone } from "./status";
export { Table, type Column, type Sort } from "./table";
export { Tabs } from "./tabs";
export { Ago, Moment, Since, span } from "./time";
export { toast, Toasts } from "./toast";
