const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** Whether a text can be the id of a run at all: the server refuses others instead of finding nothing. */
export const isRunId = (text: string): boolean => uuid.test(text);
