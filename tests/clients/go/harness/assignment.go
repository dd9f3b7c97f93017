package harness

import (
	"slices"
	"sync"
)

// Assignment is what a member has; drivers call Set from their callbacks.
type Assignment struct {
	lock       sync.Mutex
	partitions []int32
	count      int
}

// Set notes a new assignment.
func (a *Assignment) Set(partitions []int32) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.partitions = slices.Sorted(slices.Values(partitions))
	a.count++
}

// Partitions of the last assignment, in order.
func (a *Assignment) Partitions() []int32 {
	a.lock.Lock()
	defer a.lock.Unlock()
	return slices.Clone(a.partitions)
}

// Assignments counts the calls of Set.
func (a *Assignment) Assignments() int {
	a.lock.Lock()
	defer a.lock.Unlock()
	return a.count
}
