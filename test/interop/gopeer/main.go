// A peer on hashicorp/raft with the state machine and the control interface of
// cluster/raft/peer.ts, to put beside ours in one cluster.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb"
)

type state struct {
	KV    map[string]string `json:"kv"`
	List  []string          `json:"list"`
	Count uint64            `json:"count"`
	CRC   uint32            `json:"crc"`
	Last  uint64            `json:"last"`
}

type machine struct {
	mu sync.Mutex
	state
}

func (m *machine) Apply(entry *raft.Log) interface{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.Count++
	m.CRC = crc32.Update(m.CRC, crc32.IEEETable, entry.Data)
	m.Last = entry.Index
	text := string(entry.Data)
	if rest := strings.TrimPrefix(text, "set "); rest != text {
		if at := strings.Index(rest, " "); at > 0 {
			m.KV[rest[:at]] = rest[at+1:]
			return nil
		}
	}
	m.List = append(m.List, text)
	return nil
}

type frozen struct{ bytes []byte }

func (f frozen) Persist(sink raft.SnapshotSink) error {
	if _, err := sink.Write(f.bytes); err != nil {
		sink.Cancel()
		return err
	}
	return sink.Close()
}
func (frozen) Release() {}

func (m *machine) Snapshot() (raft.FSMSnapshot, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	bytes, err := json.Marshal(m.state)
	return frozen{bytes}, err
}

func (m *machine) Restore(stream io.ReadCloser) error {
	defer stream.Close()
	fresh := state{KV: map[string]string{}}
	if err := json.NewDecoder(stream).Decode(&fresh); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.state = fresh
	if m.KV == nil {
		m.KV = map[string]string{}
	}
	return nil
}

type server struct {
	raft      *raft.Raft
	machine   *machine
	snapshots raft.SnapshotStore
}

func answer(w http.ResponseWriter, status int, body interface{}) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func (s *server) refuse(w http.ResponseWriter, err error) {
	status := http.StatusInternalServerError
	if err == raft.ErrNotLeader {
		status = http.StatusMisdirectedRequest
	} else if err == raft.ErrLeadershipLost || err == raft.ErrRaftShutdown {
		status = http.StatusGatewayTimeout
	} else if err == raft.ErrLeadershipTransferInProgress || err == raft.ErrEnqueueTimeout {
		status = http.StatusServiceUnavailable
	}
	answer(w, status, map[string]interface{}{"title": err.Error(), "status": status, "leader": s.raft.Leader()})
}

func (s *server) apply(w http.ResponseWriter, command []byte) {
	future := s.raft.Apply(command, 5*time.Second)
	if err := future.Error(); err != nil {
		s.refuse(w, err)
		return
	}
	answer(w, 200, map[string]interface{}{"index": future.Index()})
}

func (s *server) get(w http.ResponseWriter, r *http.Request) {
	if r.FormValue("mode") != "stale" {
		if err := s.raft.Barrier(5 * time.Second).Error(); err != nil {
			s.refuse(w, err)
			return
		}
	}
	s.machine.mu.Lock()
	value, is := s.machine.KV[r.FormValue("k")]
	s.machine.mu.Unlock()
	if !is {
		answer(w, 200, map[string]interface{}{"value": nil})
		return
	}
	answer(w, 200, map[string]interface{}{"value": value})
}

func (s *server) show(w http.ResponseWriter, r *http.Request) {
	stats := s.raft.Stats()
	number := func(name string) (n uint64) { fmt.Sscan(stats[name], &n); return }
	type peer struct {
		ID       raft.ServerID      `json:"id"`
		Address  raft.ServerAddress `json:"address"`
		Suffrage string             `json:"suffrage"`
	}
	peers := []peer{}
	if future := s.raft.GetConfiguration(); future.Error() == nil {
		for _, each := range future.Configuration().Servers {
			peers = append(peers, peer{each.ID, each.Address, strings.ToLower(each.Suffrage.String())})
		}
	}
	s.machine.mu.Lock()
	defer s.machine.mu.Unlock()
	answer(w, 200, map[string]interface{}{
		"role": strings.ToLower(s.raft.State().String()), "leader": s.raft.Leader(), "term": number("term"),
		"commit": number("commit_index"), "applied": s.raft.AppliedIndex(), "lastIndex": s.raft.LastIndex(),
		"snapshotIndex": number("last_snapshot_index"), "peers": peers,
		"count": s.machine.Count, "crc32": s.machine.CRC,
	})
}

func (s *server) members(w http.ResponseWriter, r *http.Request) {
	id, address := raft.ServerID(r.FormValue("id")), raft.ServerAddress(r.FormValue("address"))
	var future raft.IndexFuture
	switch strings.TrimPrefix(r.URL.Path, "/members/") {
	case "add":
		future = s.raft.AddVoter(id, address, 0, 10*time.Second)
	case "promote":
		for _, each := range s.raft.GetConfiguration().Configuration().Servers {
			if each.ID == id {
				address = each.Address
			}
		}
		future = s.raft.AddVoter(id, address, 0, 10*time.Second)
	case "nonvoter":
		future = s.raft.AddNonvoter(id, address, 0, 10*time.Second)
	case "demote":
		future = s.raft.DemoteVoter(id, 0, 10*time.Second)
	case "remove":
		future = s.raft.RemoveServer(id, 0, 10*time.Second)
	default:
		answer(w, 404, map[string]interface{}{"title": "no such change", "status": 404})
		return
	}
	if err := future.Error(); err != nil {
		s.refuse(w, err)
		return
	}
	answer(w, 200, map[string]interface{}{"index": future.Index()})
}

func (s *server) transfer(w http.ResponseWriter, r *http.Request) {
	id := raft.ServerID(r.FormValue("id"))
	future := raft.Future(nil)
	if id == "" {
		future = s.raft.LeadershipTransfer()
	} else {
		for _, each := range s.raft.GetConfiguration().Configuration().Servers {
			if each.ID == id {
				future = s.raft.LeadershipTransferToServer(each.ID, each.Address)
			}
		}
	}
	if future == nil {
		answer(w, 404, map[string]interface{}{"title": "no such server", "status": 404})
	} else if err := future.Error(); err != nil {
		s.refuse(w, err)
	} else {
		answer(w, 200, map[string]interface{}{})
	}
}

// Appliers inside this process, so that no client protocol is measured.
func (s *server) bench(w http.ResponseWriter, r *http.Request) {
	var clients, size, ms int
	fmt.Sscan(r.FormValue("clients"), &clients)
	fmt.Sscan(r.FormValue("size"), &size)
	fmt.Sscan(r.FormValue("ms"), &ms)
	command := []byte(strings.Repeat("x", size))
	begun := time.Now()
	until := begun.Add(time.Duration(ms) * time.Millisecond)
	all := make([][]float64, clients)
	failed := make([]int, clients)
	var group sync.WaitGroup
	for nth := 0; nth < clients; nth++ {
		group.Add(1)
		go func(nth int) {
			defer group.Done()
			for time.Now().Before(until) {
				start := time.Now()
				if s.raft.Apply(command, 10*time.Second).Error() != nil {
					failed[nth]++
					return
				}
				all[nth] = append(all[nth], float64(time.Since(start).Microseconds())/1000)
			}
		}(nth)
	}
	group.Wait()
	elapsed := time.Since(begun).Seconds()
	times, errors := []float64{}, 0
	for nth := range all {
		times = append(times, all[nth]...)
		errors += failed[nth]
	}
	sort.Float64s(times)
	at := func(q float64) float64 {
		if len(times) == 0 {
			return 0
		}
		return times[int(q*float64(len(times)-1))]
	}
	answer(w, 200, map[string]interface{}{
		"clients": clients, "commits": len(times), "failed": errors,
		"perSecond": float64(len(times)) / elapsed, "p50": at(0.5), "p99": at(0.99),
	})
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gopeer:", err)
		os.Exit(1)
	}
}

func main() {
	id := flag.String("id", "", "")
	listen := flag.String("listen", "", "")
	data := flag.String("data", "", "")
	control := flag.String("control", "", "")
	bootstrap := flag.String("bootstrap", "", "n1=ADDR,n2=ADDR")
	trailing := flag.Uint64("trailing", 10240, "")
	timeout := flag.Int("timeout", 1000, "heartbeat and election timeout in ms")
	flag.Parse()

	config := raft.DefaultConfig()
	config.LocalID = raft.ServerID(*id)
	config.TrailingLogs = *trailing
	config.HeartbeatTimeout = time.Duration(*timeout) * time.Millisecond
	config.ElectionTimeout = config.HeartbeatTimeout
	config.LeaderLeaseTimeout = config.HeartbeatTimeout / 2
	config.Logger = hclog.New(&hclog.LoggerOptions{Name: *id, Level: hclog.Info, Output: os.Stderr})

	check(os.MkdirAll(*data, 0o700))
	bolt, err := raftboltdb.NewBoltStore(filepath.Join(*data, "raft.db"))
	check(err)
	logs, err := raft.NewLogCache(512, bolt)
	check(err)
	snapshots, err := raft.NewFileSnapshotStore(*data, 2, os.Stderr)
	check(err)
	address, err := net.ResolveTCPAddr("tcp", *listen)
	check(err)
	transport, err := raft.NewTCPTransport(*listen, address, 3, 10*time.Second, os.Stderr)
	check(err)
	if *bootstrap != "" {
		servers := []raft.Server{}
		for _, each := range strings.Split(*bootstrap, ",") {
			parts := strings.SplitN(each, "=", 2)
			servers = append(servers, raft.Server{ID: raft.ServerID(parts[0]), Address: raft.ServerAddress(parts[1])})
		}
		err := raft.BootstrapCluster(config, bolt, bolt, snapshots, transport, raft.Configuration{Servers: servers})
		if err != raft.ErrCantBootstrap {
			check(err)
		}
	}
	m := &machine{state: state{KV: map[string]string{}, List: []string{}}}
	node, err := raft.NewRaft(config, m, logs, bolt, snapshots, transport)
	check(err)
	s := &server{raft: node, machine: m, snapshots: snapshots}

	http.HandleFunc("/apply", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		s.apply(w, body)
	})
	http.HandleFunc("/set", func(w http.ResponseWriter, r *http.Request) {
		s.apply(w, []byte("set "+r.FormValue("k")+" "+r.FormValue("v")))
	})
	http.HandleFunc("/get", s.get)
	http.HandleFunc("/state", s.show)
	http.HandleFunc("/transfer", s.transfer)
	http.HandleFunc("/members/", s.members)
	http.HandleFunc("/bench", s.bench)
	http.HandleFunc("/snapshot", func(w http.ResponseWriter, r *http.Request) {
		if err := node.Snapshot().Error(); err != nil {
			s.refuse(w, err)
			return
		}
		answer(w, 200, map[string]interface{}{})
	})
	check(http.ListenAndServe(*control, nil))
}
