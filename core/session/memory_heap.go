package session

// placed is an element of a placedHeap.
type placed[T any] interface {
	before(other T) bool // whether it comes before other
	inHeap() *int32      // its index in the heap, which the heap keeps up to date
}

// A placedHeap is a heap whose elements know their places, so that any of them can be
// moved or removed. It is the data of a [heap.Interface].
type placedHeap[T placed[T]] []T

func (h placedHeap[T]) Len() int           { return len(h) }
func (h placedHeap[T]) Less(i, j int) bool { return h[i].before(h[j]) }

func (h placedHeap[T]) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	*h[i].inHeap(), *h[j].inHeap() = int32(i), int32(j) //nolint:gosec // no Memory has as many
}

// Push implements [heap.Interface].
func (h *placedHeap[T]) Push(x any) {
	element := x.(T)
	*element.inHeap() = int32(len(*h)) //nolint:gosec // no Memory has as many
	*h = append(*h, element)
}

// Pop implements [heap.Interface].
func (h *placedHeap[T]) Pop() any {
	last := len(*h) - 1
	element := (*h)[last]
	var none T
	(*h)[last] = none
	*h = (*h)[:last]
	return element
}
