/** The items of a paged list, fetched page by page (1, 2, …) as they are consumed; a short page is the last. */
export async function* paged<Item>(
  size: number,
  fetchPage: (page: number) => Promise<readonly Item[]>,
): AsyncIterable<Item> {
  for (let page = 1; ; page += 1) {
    const items = await fetchPage(page);
    yield* items;
    if (items.length < size) return;
  }
}
