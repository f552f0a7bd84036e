const middleOf = (element: Element): number => {
  const { left, width } = element.getBoundingClientRect();
  return left + width / 2;
};

/** Brings what is chosen to the middle of its row, if that scrolls; the page stays as it is. */
export const nearby = (isChosen: boolean) => (element: Element) => {
  const row = isChosen ? element.closest('.row-scroll') : null;
  row?.scrollBy({ left: middleOf(element) - middleOf(row) });
};
